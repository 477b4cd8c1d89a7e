//! The clues themselves. Each is an evidence row.

use super::super::facts::{Fact, Facts, millis};
use super::super::families::Cause;
use super::super::testimony::{self, Protocol};
use super::super::text;
use super::super::tuple::Evidence;
use super::super::vocabulary::Confidence;
use crate::sip::{MediaDirection, Reason, Response};

/// Status of "Call Is Being Forwarded".
const FORWARDED: u16 = 181;
/// An answer this soon after the first 180 is no hand that picked up, in milliseconds.
const SOON_MS: u64 = 1000;
/// A conversation longer than this was none with a recorded message, in milliseconds.
const LONGEST_ANNOUNCEMENT_MS: u64 = 120_000;
/// Ring times, in milliseconds, after which servers give up, and how exactly they keep them.
const SERVER_TIMERS_MS: [u64; 7] = [15_000, 18_000, 20_000, 25_000, 30_000, 45_000, 60_000];
const SERVER_TIMER_SLACK_MS: u64 = 150;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Clues {
    /// Reason values in an 18x with media, in the 2xx, or in the BYE that ended it.
    said: Vec<(Cause, Evidence)>,
    /// Reasons of a diversion.
    diverted: Vec<(Cause, Evidence)>,
    /// Other strong clues.
    strong: Vec<Evidence>,
    /// A 181 came.
    pub forwarded: bool,
    /// The Contact says it is a machine.
    pub automata: bool,
    /// Odd by themselves.
    pub weak: Vec<Evidence>,
    /// One of the weak ones is media that flows one way only.
    pub one_way: bool,
}

impl Clues {
    /// Looks at every response before the end was decided.
    pub(super) fn gather(facts: &Facts<'_>) -> Self {
        let mut clues = Self::default();
        for response in facts.provisionals.iter().filter(|r| !facts.is_after_decision(r.event)) {
            clues.hear(*response);
            if response.what.sdp.is_some() {
                clues.compare(facts, *response);
            }
        }
        if let Some(answer) = first_answer(facts) {
            clues.hear(answer);
            clues.compare(facts, answer);
            clues.time(facts, answer);
        }
        clues.hear_the_end(facts);
        clues
    }

    /// Whether a header said it, in the answer or before it.
    pub(super) fn is_strong(&self) -> bool {
        !(self.said.is_empty() && self.diverted.is_empty() && self.strong.is_empty())
    }

    /// Whether a Reason stood in the answer: it is given *instead of* a refusal.
    pub(super) fn refusal_said_in_answer(&self) -> bool {
        !self.said.is_empty()
    }

    /// What is hidden: what the Reason says, else what the diversion says.
    pub(super) fn hides(&self) -> Option<(Cause, Confidence, Vec<Evidence>)> {
        let (cause, _) = self.said.first().or_else(|| self.diverted.first())?;
        let all = || self.said.iter().chain(&self.diverted);
        let agreed = all().all(|(other, _)| other == cause);
        let confidence = if agreed { Confidence::Strong } else { Confidence::Weak };
        let rows = all().filter(|(other, _)| other == cause).map(|(_, row)| row.clone()).collect();
        Some((*cause, confidence, rows))
    }

    /// All clues as evidence, strong ones first.
    pub(super) fn rows(&self) -> Vec<Evidence> {
        let said = self.said.iter().chain(&self.diverted).map(|(_, row)| row);
        let mut rows: Vec<Evidence> = said.chain(&self.strong).chain(&self.weak).cloned().collect();
        let mut seen = std::collections::BTreeSet::new();
        rows.retain(|row| seen.insert((row.event, row.says.clone())));
        rows
    }

    /// The strong clues of one response.
    fn hear(&mut self, response: Fact<&Response>) {
        let (event, what) = (response.event, response.what);
        let status = what.status;
        if status == FORWARDED {
            self.forwarded = true;
            self.strong.push(row(event, "181: the call was forwarded".into()));
        }
        for reason in &what.reasons {
            if let Some(cause) = hidden_by(reason) {
                let says = format!("the {status} carries {}", testimony::quote(reason));
                self.said.push((cause, row(event, says)));
            }
        }
        for diversion in &what.clues.diversions {
            if let Some(cause) = testimony::diversion(diversion) {
                let says = format!("the {status} says that the call was diverted because of {cause}");
                self.diverted.push((cause, row(event, says)));
            }
        }
        if what.clues.automata {
            self.automata = true;
            self.strong.push(row(event, format!("the Contact of the {status} says automata (RFC 3840)")));
        }
    }

    /// The weak clues of a response with media, against what rang before.
    fn compare(&mut self, facts: &Facts<'_>, response: Fact<&Response>) {
        let (event, what) = (response.event, response.what);
        let status = what.status;
        let tags = &facts.progress.ringing_tags;
        if let Some(tag) = &what.to_tag
            && !tags.is_empty()
            && !tags.contains(tag)
        {
            self.weak(event, format!("the {status} comes from another dialog than the one that rang"));
        }
        if let Some(sdp) = &what.sdp
            && sdp.direction == MediaDirection::SendOnly
        {
            self.one_way = true;
            self.weak(event, format!("the media of the {status} flows one way only (sendonly)"));
        }
        if let Some(gate) = &what.clues.early_media {
            let gated = gate.to_ascii_lowercase();
            if gated.contains("sendonly") || gated.contains("gated") {
                self.one_way = true;
                self.weak(event, format!("P-Early-Media of the {status} says {gate}"));
            }
        }
        let earlier = facts.provisionals.iter().filter(|r| r.event < event && r.what.status > 100);
        for before in earlier {
            self.compare_two(before.what, response);
        }
    }

    fn compare_two(&mut self, before: &Response, response: Fact<&Response>) {
        let (event, what) = (response.event, response.what);
        let status = what.status;
        if let (Some(old), Some(new)) = (&before.sdp, &what.sdp)
            && old.origin != new.origin
        {
            self.weak(event, format!("the {status} describes media of another origin"));
        }
        if let (Some(old), Some(new)) = (&before.clues.contact_host, &what.clues.contact_host)
            && old != new
        {
            self.weak(event, format!("the Contact of the {status} is another host"));
        }
        if let (Some(old), Some(new)) = (&before.clues.software, &what.clues.software)
            && old != new
        {
            self.weak(event, format!("the {status} was written by other software"));
        }
    }

    /// How long it rang before the answer.
    fn time(&mut self, facts: &Facts<'_>, answer: Fact<&Response>) {
        let Some(rang) = facts.progress.ringing else { return };
        let took = millis(answer.at, rang.at);
        if took < SOON_MS {
            self.weak(answer.event, format!("answered {} after the ringing began", text::span(took)));
        } else if SERVER_TIMERS_MS.iter().any(|timer| took.abs_diff(*timer) <= SERVER_TIMER_SLACK_MS) {
            self.weak(answer.event, format!("it rang for {}, as long as servers do", text::span(took)));
        }
    }

    /// A server that ends its own announcement may say at last what it was about (3j).
    fn hear_the_end(&mut self, facts: &Facts<'_>) {
        let Some(bye) = facts.byes.first() else { return };
        if facts.talk_ms().is_none_or(|took| took > LONGEST_ANNOUNCEMENT_MS) {
            return;
        }
        for reason in &bye.what.reasons {
            // A 408 in a BYE speaks of a session timer or an ACK.
            let is_timeout = reason.cause == Some(408);
            let Some(cause) = hidden_by(reason).filter(|_| !is_timeout) else { continue };
            let says = format!("the BYE carries {}", testimony::quote(reason));
            self.said.push((cause, row(bye.event, says)));
        }
    }

    fn weak(&mut self, event: u64, says: String) {
        let row = row(event, says);
        if !self.weak.contains(&row) {
            self.weak.push(row);
        }
    }
}

/// The first 2xx before the end, taken or not. A later one belongs to no call any more.
pub(super) fn first_answer<'a>(facts: &Facts<'a>) -> Option<Fact<&'a Response>> {
    facts.answers.first().filter(|answer| !facts.is_after_end(answer.event)).copied()
}

/// What a Reason in a place where no refusal belongs says about the party that was called.
fn hidden_by(reason: &Reason) -> Option<Cause> {
    match (testimony::protocol(reason), reason.cause?) {
        (Protocol::Q850, 17) | (Protocol::Sip, 486 | 600) => Some(Cause::Busy),
        (Protocol::Q850, 18 | 19) | (Protocol::Sip, 408 | 480) => Some(Cause::NoAnswer),
        (Protocol::Q850, 21) | (Protocol::Sip, 603) => Some(Cause::Declined),
        _ => None,
    }
}

fn row(event: u64, says: String) -> Evidence {
    Evidence { event, says }
}
