//! The rules of all rulebooks, one file per kind of witness, and the order in which they are heard.
//!
//! | weight | who is believed |
//! |---|---|
//! | record | what the record is: alive, empty, broken |
//! | own | own command, own timer, own policy, own crash |
//! | protocol | who sent the packet, what the transport said, which transaction timer ran out |
//! | agreement | status, Reason and phase together |
//! | reason | a Reason value alone |
//! | phrase | words |
//! | timing | how long it took |
//! | machine | what the machine made of it: the last resort |
//!
//! The first rule that concludes something wins. Own acts come before all; of the rules about one kind of message the
//! more precise one is heard first, and the weight of its witness caps how sure it may be. What other witnesses say
//! against it is kept by [`contradictions`](mod@super::contradictions). Ids are stable: the first row of the evidence names the rule.

mod crash;
mod final_in_context;
mod last;
mod lost;
mod observed;
mod observed_bye;
mod own;
mod own_timer;
mod record;
mod remote_bye;
mod remote_cancel;
mod remote_final;
mod stated;
mod statuses;

pub(super) use stated::out_of_place;

use super::draft::Draft;
use super::facts::Facts;
use super::vocabulary::{Confidence, Rulebook};

/// How much a rule's kind of witness is believed; in order, the most believed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    Record,
    Own,
    Protocol,
    Agreement,
    Reason,
    Phrase,
    Timing,
    Machine,
}

impl Weight {
    /// How sure a conclusion from this kind of witness may be.
    fn ceiling(self) -> Confidence {
        match self {
            Self::Record | Self::Own | Self::Protocol => Confidence::Certain,
            Self::Agreement | Self::Reason | Self::Timing => Confidence::Strong,
            Self::Phrase | Self::Machine => Confidence::Weak,
        }
    }
}

/// One rule.
pub(super) struct Rule {
    /// Stable name.
    id: &'static str,
    /// Its place in the table above.
    weight: Weight,
    /// Its conclusion, if it has one.
    conclude: fn(&Facts<'_>) -> Option<Draft>,
    /// What it concludes from, in a few words.
    about: &'static str,
    /// The first version that hears it.
    since: Rulebook,
}

const fn rule(
    id: &'static str,
    weight: Weight,
    conclude: fn(&Facts<'_>) -> Option<Draft>,
    about: &'static str,
) -> Rule {
    Rule { id, weight, conclude, about, since: Rulebook::V1_0 }
}

impl Rule {
    const fn since(self, since: Rulebook) -> Self {
        Self { since, ..self }
    }
}

/// All rules of all versions, in the order in which they are heard.
const RULES: &[Rule] = &[
    rule("record.empty", Weight::Record, record::empty, "nothing is recorded"),
    rule("record.alive", Weight::Record, record::alive, "the call is not over"),
    rule(
        "record.capture_ended",
        Weight::Record,
        observed::capture_ended,
        "the capture stopped before the call did",
    )
    .since(Rulebook::V1_1),
    rule("record.contradictory", Weight::Record, record::contradictory, "two ends that exclude each other")
        .since(Rulebook::V1_1),
    rule("own.stated", Weight::Own, stated::stated, "our application said why it ended the call")
        .since(Rulebook::V1_1),
    rule(
        "own.policy_refusal",
        Weight::Own,
        own::policy_refusal,
        "our policy refused before anybody was asked",
    ),
    rule("own.administrator", Weight::Own, own::administrator, "our administrator ended the call"),
    rule("own.engine", Weight::Own, own::engine, "our engine ended the call by itself"),
    rule("own.reject", Weight::Own, own::reject, "our user or application rejected the call"),
    rule("own.divert", Weight::Own, own::divert, "our user sent the caller elsewhere"),
    rule("own.cancel", Weight::Own, own::cancel, "our side gave up before the answer"),
    rule(
        "own.bye_crossed",
        Weight::Own,
        own::bye_crossed,
        "both sides hung up before either knew of the other",
    ),
    rule("own.bye", Weight::Own, own::bye, "our side hung up"),
    rule(
        "own.no_answer",
        Weight::Own,
        own_timer::no_answer,
        "our patience, or the caller's Expires, ran out",
    ),
    rule("own.max_duration", Weight::Own, own_timer::max_duration, "our limit of duration was reached"),
    rule(
        "own.announcement_max",
        Weight::Own,
        own_timer::announcement_max,
        "our limit for announcements was reached",
    ),
    rule("own.hangup_delay", Weight::Own, own_timer::hangup_delay, "our automation hung up"),
    rule("own.crash", Weight::Own, crash::crash, "our engine or its journal failed"),
    rule(
        "protocol.observed_ack_missing",
        Weight::Protocol,
        observed::ack_missing,
        "seen from between: the answer was repeated and never acknowledged",
    )
    .since(Rulebook::V1_1),
    rule(
        "protocol.observed_cancel_crossed",
        Weight::Protocol,
        observed::cancel_crossed,
        "seen from between: the answer crossed the CANCEL",
    )
    .since(Rulebook::V1_1),
    rule(
        "protocol.observed_replaced",
        Weight::Protocol,
        observed::replaced,
        "seen from between: another call took its place",
    )
    .since(Rulebook::V1_1),
    rule(
        "protocol.observed_transfer",
        Weight::Protocol,
        observed::transferred,
        "seen from between: transferred, then hung up",
    )
    .since(Rulebook::V1_1),
    rule(
        "protocol.observed_dialog_gone",
        Weight::Protocol,
        observed::dialog_gone,
        "seen from between: one side lost the dialog",
    )
    .since(Rulebook::V1_1),
    rule(
        "timing.observed_session",
        Weight::Timing,
        observed::session_expired,
        "seen from between: a BYE when the session timer ran out",
    )
    .since(Rulebook::V1_1),
    rule(
        "reason.observed_bye",
        Weight::Reason,
        observed_bye::by_reason,
        "seen from between: a Reason in a BYE",
    )
    .since(Rulebook::V1_1),
    rule(
        "timing.observed_glare",
        Weight::Timing,
        observed_bye::after_glare,
        "seen from between: a BYE after 491 without end",
    )
    .since(Rulebook::V1_1),
    rule(
        "protocol.observed_bye",
        Weight::Protocol,
        observed_bye::plain,
        "seen from between: who sent the BYE",
    )
    .since(Rulebook::V1_1),
    rule(
        "protocol.observed_bye_answered",
        Weight::Protocol,
        observed_bye::answered,
        "seen from between: only the answer to a BYE",
    )
    .since(Rulebook::V1_1),
    rule(
        "protocol.observed_prack_missing",
        Weight::Protocol,
        final_in_context::prack_missing,
        "seen from between: a 5xx 64·T1 after a reliable 18x, and no PRACK",
    )
    .since(Rulebook::V1_1),
    rule(
        "agreement.observed_auth",
        Weight::Agreement,
        observed::auth_failed,
        "seen from between: credentials that were refused",
    )
    .since(Rulebook::V1_1),
    rule("protocol.ack_missing", Weight::Protocol, lost::ack_missing, "our 2xx was never acknowledged"),
    rule(
        "protocol.no_response",
        Weight::Protocol,
        lost::no_response,
        "timer B ran out and nothing had been heard",
    ),
    rule(
        "protocol.final_missing",
        Weight::Protocol,
        lost::final_missing,
        "timer B ran out after a provisional response",
    ),
    rule("protocol.unreachable", Weight::Protocol, lost::unreachable, "the target could not be found out"),
    rule(
        "protocol.transport_failed",
        Weight::Protocol,
        lost::transport_failed,
        "a message could not be sent",
    ),
    rule(
        "protocol.dialog_gone",
        Weight::Protocol,
        lost::dialog_gone,
        "the other side no longer knows the dialog",
    ),
    rule(
        "protocol.bye_for_lost_ack",
        Weight::Protocol,
        remote_bye::for_lost_ack,
        "a BYE 64*T1 after a 2xx that was repeated all the time",
    ),
    rule(
        "protocol.bye_early",
        Weight::Protocol,
        remote_bye::early,
        "the caller's BYE came before the answer",
    ),
    rule("reason.bye", Weight::Reason, remote_bye::by_reason, "a Reason in a BYE says it was no hang-up"),
    rule("timing.glare", Weight::Timing, remote_bye::after_glare, "a BYE after 491 without end")
        .since(Rulebook::V1_1),
    rule("protocol.bye", Weight::Protocol, remote_bye::plain, "the other side's BYE came"),
    rule(
        "reason.cancel",
        Weight::Reason,
        remote_cancel::by_reason,
        "a Reason in a CANCEL says why the caller's side stopped",
    ),
    rule("protocol.cancel", Weight::Protocol, remote_cancel::plain, "the caller's CANCEL came"),
    rule(
        "agreement.no_human_had_time",
        Weight::Agreement,
        remote_final::no_human_had_time,
        "early media and at once a 480: nobody could have looked",
    ),
    rule(
        "agreement.credentials",
        Weight::Agreement,
        final_in_context::credentials_refused,
        "403 to an INVITE with credentials",
    )
    .since(Rulebook::V1_1),
    rule(
        "agreement.redirect",
        Weight::Agreement,
        final_in_context::redirected_nowhere,
        "a redirection without a target, or back to where the call was sent",
    )
    .since(Rulebook::V1_1),
    rule(
        "agreement.final",
        Weight::Agreement,
        remote_final::agreeing,
        "a final status, its Reason and the phase agree on something more precise",
    ),
    rule(
        "phrase.final",
        Weight::Phrase,
        remote_final::by_phrase,
        "the phrase says what the status has no number for",
    ),
    rule("phrase.words", Weight::Phrase, remote_final::by_words, "the words of a Reason or Warning say more")
        .since(Rulebook::V1_1),
    rule(
        "timing.prack",
        Weight::Timing,
        final_in_context::after_reliable,
        "a 5xx 64*T1 after a reliable 18x",
    )
    .since(Rulebook::V1_1),
    rule(
        "timing.final",
        Weight::Timing,
        remote_final::by_timing,
        "480, 408 and 487 mean what phase and time make of them",
    ),
    rule("agreement.status", Weight::Agreement, remote_final::by_status, "the leaf of the final status"),
    rule("machine.ended", Weight::Machine, record::as_the_machine_saw_it, "what the machine made of it"),
];

/// One line of the printed rulebook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleRow {
    /// Stable name: the kind of witness and what it says.
    pub id: &'static str,
    /// How sure its conclusion may be at most.
    pub at_most: Confidence,
    /// The first version that has it.
    pub since: Rulebook,
    /// What it concludes from.
    pub about: &'static str,
}

/// The rules of a version, in the order in which they are heard: the first that concludes wins.
pub fn rules(rulebook: Rulebook) -> impl Iterator<Item = RuleRow> {
    RULES.iter().filter(move |rule| rule.since <= rulebook).map(|rule| RuleRow {
        id: rule.id,
        at_most: rule.weight.ceiling(),
        since: rule.since,
        about: rule.about,
    })
}

/// The first conclusion, with the name of its rule.
pub(super) fn conclude(facts: &Facts<'_>) -> (&'static str, Draft) {
    RULES
        .iter()
        .filter(|rule| facts.since(rule.since))
        .find_map(|rule| {
            let draft = (rule.conclude)(facts)?;
            // Who only watches is never certain of what anybody meant.
            let most = if facts.watch.is_some() { Confidence::Strong } else { Confidence::Certain };
            Some((rule.id, draft.at_most(rule.weight.ceiling()).at_most(most)))
        })
        .unwrap_or_else(|| ("record.unexplained", record::unexplained(facts)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_begin_with_the_witness() {
        let mut seen = BTreeSet::new();
        for rule in RULES {
            assert!(seen.insert(rule.id), "{} is there twice", rule.id);
            let witness = format!("{:?}.", rule.weight).to_lowercase();
            assert!(rule.id.starts_with(&witness), "{} is no {witness}", rule.id);
        }
    }

    #[test]
    fn own_acts_are_heard_before_all_testimony_and_the_machine_last() {
        let first_other = RULES.iter().position(|rule| rule.weight > Weight::Own).unwrap();
        assert!(RULES[first_other..].iter().all(|rule| rule.weight > Weight::Own));
        assert_eq!(RULES.last().unwrap().weight, Weight::Machine);
        assert_eq!(RULES.iter().filter(|rule| rule.weight == Weight::Machine).count(), 1);
    }
}
