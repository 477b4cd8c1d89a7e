//! The clues themselves. Each is an evidence row.

mod other_leg;

use super::super::facts::{Fact, Facts, millis};
use super::super::families::Cause;
use super::super::testimony::{self, Protocol};
use super::super::text;
use super::super::tuple::Evidence;
use super::super::vocabulary::{Confidence, Rulebook};
use crate::call::{Note, Tone};
use crate::sip::{MediaDirection, Reason, Response};

/// Status of "Call Is Being Forwarded".
const FORWARDED: u16 = 181;
/// An answer this soon after the first 180 is no hand that picked up, in milliseconds.
const SOON_MS: u64 = 1000;
/// A conversation longer than this was none with a recorded message, in milliseconds.
const LONGEST_ANNOUNCEMENT_MS: u64 = 120_000;
/// A tone later than this after the answer is no announcement, in milliseconds.
const TONE_AFTER_ANSWER_MS: u64 = 10_000;
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
    /// A busy, congestion or special information tone was heard.
    pub tone: bool,
    /// The ringing itself was heard before the answer.
    pub rang_in_audio: Option<Evidence>,
    /// A branch was cancelled because another device took the call: who answered is that one.
    pub taken_elsewhere: Option<Evidence>,
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
                clues.diverted.extend(other_leg::given_up(facts, *response));
            }
        }
        if let Some(answer) = first_answer(facts) {
            clues.hear(answer);
            clues.compare(facts, answer);
            clues.time(facts, answer);
            clues.diverted.extend(other_leg::given_up(facts, answer));
        }
        clues.hear_tones(facts);
        clues.hear_the_end(facts);
        clues.taken_elsewhere = other_leg::taken_elsewhere(facts);
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
            self.strong.push(row("clue.forwarded", event, "181: the call was forwarded".into()));
        }
        for reason in &what.reasons {
            if let Some(cause) = hidden_by(reason) {
                let says = format!("the {status} carries {}", testimony::quote(reason));
                self.said.push((cause, row("clue.reason", event, says)));
            }
        }
        for diversion in &what.clues.diversions {
            if let Some(cause) = testimony::diversion(diversion) {
                let says = format!("the {status} says that the call was diverted because of {cause}");
                self.diverted.push((cause, row("clue.diversion", event, says)));
            }
        }
        if what.clues.automata {
            self.automata = true;
            let says = format!("the Contact of the {status} says automata (RFC 3840)");
            self.strong.push(row("clue.automata", event, says));
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
            self.weak(
                "clue.other_dialog",
                event,
                format!("the {status} comes from another dialog than the one that rang"),
            );
        }
        if let Some(sdp) = &what.sdp
            && sdp.direction == MediaDirection::SendOnly
        {
            self.one_way = true;
            self.weak(
                "clue.one_way",
                event,
                format!("the media of the {status} flows one way only (sendonly)"),
            );
        }
        if facts.since(Rulebook::V1_1) && is_known_host(facts, what) {
            self.weak(
                "clue.known_host",
                event,
                format!("the {status} comes from a configured announcement host"),
            );
        }
        if let Some(gate) = &what.clues.early_media {
            let gated = gate.to_ascii_lowercase();
            if gated.contains("sendonly") || gated.contains("gated") {
                self.one_way = true;
                self.weak(
                    "clue.early_media_gated",
                    event,
                    format!("P-Early-Media of the {status} says {gate}"),
                );
            }
        }
        // Who rang in its own name is compared with its own ringing, not with that of another fork.
        let rang = what.to_tag.as_ref().is_some_and(|tag| tags.contains(tag));
        let forks = facts.since(Rulebook::V1_1) && rang;
        let earlier = facts.provisionals.iter().filter(|r| r.event < event && r.what.status > 100);
        for before in earlier.filter(|before| !forks || before.what.to_tag == what.to_tag) {
            self.compare_two(before.what, response);
        }
    }

    fn compare_two(&mut self, before: &Response, response: Fact<&Response>) {
        let (event, what) = (response.event, response.what);
        let status = what.status;
        if let (Some(old), Some(new)) = (&before.sdp, &what.sdp)
            && old.origin != new.origin
        {
            self.weak("clue.other_origin", event, format!("the {status} describes media of another origin"));
        }
        if let (Some(old), Some(new)) = (&before.clues.contact_host, &what.clues.contact_host)
            && old != new
        {
            self.weak("clue.other_contact", event, format!("the Contact of the {status} is another host"));
        }
        if let (Some(old), Some(new)) = (&before.clues.software, &what.clues.software)
            && old != new
        {
            self.weak("clue.other_software", event, format!("the {status} was written by other software"));
        }
    }

    /// How long it rang before the answer.
    fn time(&mut self, facts: &Facts<'_>, answer: Fact<&Response>) {
        let Some(rang) = facts.progress.ringing else { return };
        let took = millis(answer.at, rang.at);
        if took < SOON_MS {
            self.weak(
                "clue.soon",
                answer.event,
                format!("answered {} after the ringing began", text::span(took)),
            );
        } else if SERVER_TIMERS_MS.iter().any(|timer| took.abs_diff(*timer) <= SERVER_TIMER_SLACK_MS) {
            self.weak(
                "clue.server_timer",
                answer.event,
                format!("it rang for {}, as long as servers do", text::span(took)),
            );
        }
    }

    /// Tones in the audio, as an observer or the media adapter heard them.
    fn hear_tones(&mut self, facts: &Facts<'_>) {
        if !facts.since(Rulebook::V1_1) {
            return;
        }
        for note in facts.notes.iter().filter(|note| !facts.is_after_decision(note.event)) {
            let Note::Tone(tone) = note.what else { continue };
            let since_answer = facts.answered.map(|answer| millis(note.at, answer.at));
            // Much later it is no announcement: a switch plays it when the other side has hung up.
            let in_time = since_answer.is_none_or(|took| took <= TONE_AFTER_ANSWER_MS);
            match tone {
                Tone::Busy if in_time => {
                    self.tone = true;
                    let says = "a busy tone was heard".to_owned();
                    self.said.push((Cause::Busy, row("clue.tone", note.event, says)));
                }
                Tone::Congestion if in_time => {
                    self.tone = true;
                    let says = "a congestion tone was heard: the network, or in some countries the called party, \
                        is busy (ITU-T E.180)";
                    self.strong.push(row("clue.tone", note.event, says.to_owned()));
                }
                Tone::Sit if in_time => {
                    self.tone = true;
                    let says = "the special information tone was heard (ITU-T E.180)".to_owned();
                    self.strong.push(row("clue.tone", note.event, says));
                }
                Tone::Ringback if since_answer.is_none() => {
                    let says = "the ringing was heard in the audio".to_owned();
                    self.rang_in_audio.get_or_insert(row("clue.tone", note.event, says));
                }
                Tone::Busy | Tone::Congestion | Tone::Sit | Tone::Ringback => {}
            }
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
            self.said.push((cause, row("clue.reason_in_bye", bye.event, says)));
        }
    }

    fn weak(&mut self, rule: &str, event: u64, says: String) {
        let row = row(rule, event, says);
        if !self.weak.contains(&row) {
            self.weak.push(row);
        }
    }
}

/// The first 2xx before the end, taken or not. A later one belongs to no call any more.
pub(super) fn first_answer<'a>(facts: &Facts<'a>) -> Option<Fact<&'a Response>> {
    facts.answers.first().filter(|answer| !facts.is_after_end(answer.event)).copied()
}

/// Whether Contact or session description name a host that the policy says plays announcements.
fn is_known_host(facts: &Facts<'_>, response: &Response) -> bool {
    let known = facts.policy.map(|policy| policy.announcement_hosts.as_slice()).unwrap_or_default();
    let contact = response.clues.contact_host.as_deref();
    let origin = response.sdp.as_ref().map(|sdp| sdp.origin.as_str());
    contact.into_iter().chain(origin).any(|host| known.iter().any(|one| one.eq_ignore_ascii_case(host)))
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

fn row(rule: &str, event: u64, says: String) -> Evidence {
    Evidence::new(event, says).by(rule)
}
