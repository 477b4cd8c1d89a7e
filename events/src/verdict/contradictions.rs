//! Contradictions: testimony that lost stays on record, in `against`; testimony that agrees joins the evidence.
//!
//! Only the message that ended the call is heard here. What an 18x or the 2xx says belongs to
//! [`super::announcement`]; what came after the decision is a race. Each Reason value of that message is weighed by the
//! first row of a table that fits it.

use super::draft::Draft;
use super::facts::{Fact, Facts, Said};
use super::testimony::{self, Claim};
use super::vocabulary::{Confidence, Rulebook};
use crate::call::{Act, Signal};
use crate::sip::Reason;

/// A Reason value of the decisive message beside the conclusion.
struct Case<'a> {
    said: &'a Fact<Said<'a>>,
    claim: Claim,
    quoted: String,
    draft: &'a Draft,
    /// The status of the refusal that ended the call, received.
    refusal: Option<u16>,
    /// Whether it is that status in the words of Q.850 (RFC 3398 §8.2.6.1). The first rulebook did not know.
    translates: bool,
}

/// What becomes of a Reason value.
enum Treatment {
    /// It says nothing about the end.
    Ignored,
    /// It joins the evidence.
    Agrees,
    /// It joins what speaks against the verdict.
    Against,
    /// The same, and the verdict is an inference only.
    Doubt,
}

/// One row of the table.
struct Contradiction {
    id: &'static str,
    about: &'static str,
    fits: fn(&Case<'_>) -> bool,
    treatment: Treatment,
    says: fn(&Case<'_>) -> String,
}

const TABLE: &[Contradiction] = &[
    Contradiction {
        id: "reason.about_the_hidden",
        about: "it speaks of what an announcement hides",
        fits: |case| {
            let hidden = case.draft.underlying.as_ref();
            hidden.is_some_and(|hidden| case.claim.fits(hidden.cause) && case.claim != Claim::Nothing)
        },
        treatment: Treatment::Ignored,
        says: |_| String::new(),
    },
    Contradiction {
        id: "reason.answer_status",
        about: "SIP 200 outside of a CANCEL, where it means nothing",
        fits: |case| is_answer_status(case.said.what.reason) && case.draft.act != Some(Act::Cancel),
        treatment: Treatment::Ignored,
        says: |_| String::new(),
    },
    Contradiction {
        id: "reason.silent",
        about: "it claims nothing that could be understood",
        fits: |case| case.claim == Claim::Nothing,
        treatment: Treatment::Ignored,
        says: |_| String::new(),
    },
    Contradiction {
        id: "reason.agrees",
        about: "it claims what was concluded",
        fits: |case| case.claim.fits(case.draft.cause),
        treatment: Treatment::Agrees,
        says: agreement,
    },
    Contradiction {
        id: "reason.translates_the_status",
        about: "the Q.850 value that RFC 3398 gives to the status: no second witness, and no other opinion",
        fits: |case| case.translates,
        treatment: Treatment::Ignored,
        says: |_| String::new(),
    },
    Contradiction {
        id: "reason.loses_to_the_status",
        about: "normal clearing on a refusal",
        fits: |case| case.claim == Claim::Normal && case.refusal.is_some(),
        treatment: Treatment::Against,
        says: |case| {
            let status = case.refusal.unwrap_or_default();
            format!("{} says normal clearing; on a {status} it loses to the status", case.quoted)
        },
    },
    Contradiction {
        id: "reason.of_our_own",
        about: "we told the other side something else than we did",
        fits: |case| case.said.what.ours,
        treatment: Treatment::Against,
        says: |case| format!("our {} told the other side {}", case.said.what.message, case.quoted),
    },
    Contradiction {
        id: "reason.disagrees_with_the_status",
        about: "the witnesses of a refusal disagree",
        fits: |case| case.refusal.is_some(),
        treatment: Treatment::Doubt,
        says: disagreement,
    },
    Contradiction {
        id: "reason.disagrees",
        about: "it claims something else than was concluded from better witnesses",
        fits: |_| true,
        treatment: Treatment::Against,
        says: disagreement,
    },
];

/// The table as it is heard: id, treatment and what it is about. The first row that fits a Reason value wins.
pub fn contradictions() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    TABLE.iter().map(|row| (row.id, row.treatment.words(), row.about))
}

/// Weighs every Reason of the decisive message against the conclusion.
pub(super) fn weigh(facts: &Facts<'_>, mut draft: Draft) -> Draft {
    let Some(decisive) = facts.decisive else { return draft };
    let refusal = refusal_status(facts);
    for said in facts.said.iter().filter(|said| said.event == decisive.event) {
        let reason = said.what.reason;
        let (claim, quoted) = (testimony::claim(facts.rulebook, reason), testimony::quote(reason));
        let translates = facts.since(Rulebook::V1_1) && is_translation(reason, refusal);
        let case = Case { said, claim, quoted, draft: &draft, refusal, translates };
        let Some(row) = TABLE.iter().find(|row| (row.fits)(&case)) else { continue };
        let known =
            draft.evidence.iter().any(|known| known.event == said.event && known.says.contains(&case.quoted));
        let says = (row.says)(&case);
        draft = match row.treatment {
            Treatment::Ignored => draft,
            Treatment::Agrees if known => draft,
            Treatment::Agrees => draft.because(said.event, says),
            Treatment::Against => draft.despite(said.event, says),
            Treatment::Doubt => draft.despite(said.event, says).at_most(Confidence::Weak),
        }
        .stamped(row.id);
    }
    draft
}

impl Treatment {
    fn words(&self) -> &'static str {
        match self {
            Self::Ignored => "ignored",
            Self::Agrees => "evidence",
            Self::Against => "against",
            Self::Doubt => "against, weak at most",
        }
    }
}

fn agreement(case: &Case<'_>) -> String {
    let Said { message, ours, .. } = &case.said.what;
    if *ours {
        format!("our {message} told the other side so: {}", case.quoted)
    } else {
        format!("the {message} agrees: {}", case.quoted)
    }
}

fn disagreement(case: &Case<'_>) -> String {
    format!("the {} says {}", case.said.what.message, case.quoted)
}

/// `SIP;cause=200` means "answered elsewhere" in a CANCEL and nothing elsewhere.
fn is_answer_status(reason: &Reason) -> bool {
    testimony::protocol(reason) == testimony::Protocol::Sip && reason.cause == Some(200)
}

fn is_translation(reason: &Reason, status: Option<u16>) -> bool {
    let translation = status.and_then(testimony::echo);
    translation.is_some()
        && testimony::protocol(reason) == testimony::Protocol::Q850
        && reason.cause == translation
}

/// The status of the refusal that ended the call, received.
fn refusal_status(facts: &Facts<'_>) -> Option<u16> {
    let Signal::Failure(response) = facts.decisive?.what.signal()? else { return None };
    Some(response.status)
}
