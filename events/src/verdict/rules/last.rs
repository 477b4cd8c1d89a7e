//! The final response that ended the call: whose it was, and what it says beside its status.

use std::borrow::Cow;

use super::super::draft::Draft;
use super::super::facts::{Fact, Facts};
use super::super::families::{Cause, Family};
use super::super::testimony::{self, Protocol};
use super::super::vocabulary::{Rulebook, VerdictPhase};
use super::statuses;
use crate::call::{Act, Signal};
use crate::party::{Agent, Side};
use crate::sip::{Reason, Response};

/// A timer where nobody answered; else nobody knows what acted.
pub(super) fn agent(cause: Cause) -> Agent {
    if matches!(cause, Cause::NoAnswer | Cause::NoResponse) { Agent::Timer } else { Agent::Unknown }
}

/// Causes of a refusal that no status and no number names.
const SAID_IN_WORDS: [Cause; 9] = [
    Cause::MissingMedia,
    Cause::PrackMissing,
    Cause::CreditExhausted,
    Cause::RateLimited,
    Cause::IceFailed,
    Cause::MediaSecurityFailed,
    Cause::Unsolicited,
    Cause::ResourcesExhausted,
    Cause::Shutdown,
];

/// The final response that was decisive.
pub(super) struct Last<'a> {
    pub fact: Fact<&'a Response>,
    pub status: u16,
}

impl<'a> Last<'a> {
    pub(super) fn of(facts: &Facts<'a>) -> Option<Self> {
        let decisive = facts.decisive?;
        let Signal::Failure(response) = decisive.what.signal()? else { return None };
        Some(Self { fact: decisive.with(response), status: response.status })
    }

    /// Its Reason values.
    pub(super) fn heard<'b>(
        &self,
        facts: &'b Facts<'a>,
    ) -> impl Iterator<Item = Cow<'a, Reason>> + use<'a, 'b> {
        testimony::heard(facts.rulebook, &self.fact.what.reasons, &self.fact.what.clues)
    }

    /// A cause that only words can tell, if these do.
    pub(super) fn said_in_words(&self, rulebook: Rulebook, words: &str) -> Option<Cause> {
        let cause = testimony::found(rulebook, words)?;
        (self.status >= 400 && SAID_IN_WORDS.contains(&cause)).then_some(cause)
    }

    pub(super) fn q850(&self, causes: &[u16]) -> Option<&'a Reason> {
        self.fact.what.reasons.iter().find(|reason| {
            testimony::protocol(reason) == Protocol::Q850
                && reason.cause.is_some_and(|cause| causes.contains(&cause))
        })
    }

    pub(super) fn draft(&self, draft: Draft) -> Draft {
        draft.by(Act::FinalResponse)
    }

    pub(super) fn conclude(
        &self,
        facts: &Facts<'_>,
        make: fn(Cause, Side, Agent) -> Draft,
        cause: Cause,
    ) -> Draft {
        self.draft(make(cause, self.side(facts, cause), agent(cause)))
    }

    /// Whose response it was: what RFC 8606 says, then the tag of the dialog that rang, then what the status tells.
    pub(super) fn side(&self, facts: &Facts<'_>, cause: Cause) -> Side {
        if let Some(by_user) = self.fact.what.reasons.iter().find_map(testimony::made_by_user) {
            return if by_user { Side::Callee } else { Side::Network };
        }
        if cause.family() == Family::Refused {
            return Side::Callee;
        }
        if cause == Cause::NotRegistered {
            return Side::Network;
        }
        if cause == Cause::NoAnswer && (self.status == 408 || facts.phase() == VerdictPhase::EarlyMedia) {
            return Side::Network;
        }
        let tags = &facts.progress.ringing_tags;
        match &self.fact.what.to_tag {
            Some(tag) if tags.contains(tag) => Side::Callee,
            Some(_) if !tags.is_empty() => Side::Network,
            _ if statuses::is_made_by_callee(self.status) => Side::Callee,
            _ => Side::Network,
        }
    }
}
