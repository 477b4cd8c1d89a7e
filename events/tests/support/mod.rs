//! A small script language over the call machine.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

pub mod build;

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use build::{invite, place, request, response};
use callbox_events::Timestamp;
use callbox_events::call::{
    Call, Command, Decision, Hangup, Input, Note, Outcome, Pending, Policy, Recovery, Signal, TimerId,
};
use callbox_events::party::Agent;
use callbox_events::sip::{Counters, MediaDirection, Reason, Sdp};
use goldenscript::Command as Line;

/// The call of one story, and its clock.
pub struct Script {
    pub call: Call,
    pub now: Timestamp,
    pub policy: Policy,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            call: Call::default(),
            now: Timestamp::from_micros(1_700_000_000_000_000),
            policy: Policy::default(),
        }
    }
}

impl goldenscript::Runner for Script {
    type Command = Line;

    fn run(&mut self, line: &Line, _: &goldenscript::Context) -> Result<String, Box<dyn Error>> {
        if line.name == "policy" {
            return self.set_policy(line);
        }
        let input = self.input(line)?;
        self.now = self.now + Duration::from_millis(10);
        let before = self.call.phase();
        let decision = self.call.decide(&input, self.now);
        for event in &decision.events {
            self.call.apply(event, self.now)?;
        }
        Ok(show(before.code(), self.call.phase().code(), &decision))
    }
}

impl Script {
    fn set_policy(&mut self, line: &Line) -> Result<String, Box<dyn Error>> {
        let mut args = line.consume_args();
        self.policy.no_answer_ms = parsed(&mut args, "no_answer")?;
        self.policy.ring_after_ms = parsed(&mut args, "ring_after")?;
        self.policy.answer_after_ms = parsed(&mut args, "answer_after")?;
        self.policy.hangup_after_ms = parsed(&mut args, "hangup_after")?;
        self.policy.max_duration_ms = parsed(&mut args, "max_duration")?;
        self.policy.announcement_max_ms = parsed(&mut args, "announcement_max")?;
        self.policy.end_grace_ms = parsed(&mut args, "end_grace")?;
        if let Some(word) = args.take_key("incoming") {
            self.policy.incoming = serde_json::from_str(word)?;
        }
        if let Some(word) = args.take_key("recovery") {
            self.policy.recovery = serde_json::from_str(&format!("\"{}\"", word))?;
        }
        args.reject_next()?;
        Ok(String::new())
    }

    fn input(&self, line: &Line) -> Result<Input, Box<dyn Error>> {
        let mut args = line.consume_args();
        let status = |args: &mut goldenscript::ArgumentConsumer<'_>| -> Result<u16, Box<dyn Error>> {
            Ok(args.next_pos().ok_or("a status is wanted")?.parse()?)
        };
        let facts = |args: &mut goldenscript::ArgumentConsumer<'_>| -> Result<_, Box<dyn Error>> {
            let mut facts = response(status(args)?);
            if let Some(tag) = args.take_key("tag") {
                facts.to_tag = Some(tag.to_owned());
            }
            if parsed::<bool>(args, "sdp")?.unwrap_or(false) {
                facts.sdp = Some(Sdp::default());
            }
            if let Some(cause) = parsed::<u16>(args, "q850")? {
                facts.reasons.push(Reason::q850(cause, ""));
            }
            Ok(facts)
        };
        let input = match line.name.as_str() {
            "place" => {
                let mut place = place(self.policy.clone());
                place.reachable = !parsed::<bool>(&mut args, "unreachable")?.unwrap_or(false);
                Input::Command(Command::Place(Box::new(place)))
            }
            "reachable" => Input::Signal(Signal::Reachable { peer: build::peer() }),
            "invite" => {
                let mut invite = invite(self.policy.clone());
                invite.expires = parsed(&mut args, "expires")?;
                Input::Signal(Signal::Invite(Box::new(invite)))
            }
            "ring" => Input::Command(Command::Ring),
            "accept" => Input::Command(Command::Accept),
            "hold" => Input::Command(Command::Hold),
            "resume" => Input::Command(Command::Resume),
            "divert" => Input::Command(Command::Divert { to: "sip:other@example.net".into() }),
            "hangup" => Input::Command(Command::Hangup(Hangup {
                status: parsed(&mut args, "status")?,
                cause: parsed(&mut args, "cause")?,
                ..Hangup::by(Agent::User)
            })),
            "note" => {
                let code = args.next_pos().ok_or("a note is wanted")?;
                let note = Note::from_code(code).ok_or("no such note")?;
                Input::Command(Command::Note(note))
            }
            "cancel" => Input::Signal(Signal::Cancel(request("CANCEL"))),
            "ack" => Input::Signal(Signal::Ack(request("ACK"))),
            "bye" => Input::Signal(Signal::Bye(request("BYE"))),
            "info" => Input::Signal(Signal::Request(request("INFO"))),
            "reinvite" => {
                let mut facts = request("INVITE");
                if let Some(word) = args.take_key("direction") {
                    let direction: MediaDirection = serde_json::from_str(&format!("\"{}\"", word))?;
                    facts.sdp = Some(Sdp { direction, ..Sdp::default() });
                }
                Input::Signal(Signal::Reinvite(facts))
            }
            "provisional" => Input::Signal(Signal::Provisional(facts(&mut args)?)),
            "success" => Input::Signal(Signal::Success(facts(&mut args)?)),
            "failure" => Input::Signal(Signal::Failure(facts(&mut args)?)),
            "cancel_answered" => Input::Signal(Signal::CancelAnswered(facts(&mut args)?)),
            "bye_answered" => Input::Signal(Signal::ByeAnswered(facts(&mut args)?)),
            "reinvite_answered" => Input::Signal(Signal::ReinviteAnswered(facts(&mut args)?)),
            "timed_out" => Input::Signal(Signal::TimedOut(pending(&mut args)?)),
            "transport_failed" => Input::Signal(Signal::TransportFailed {
                pending: pending(&mut args)?,
                detail: "refused".into(),
            }),
            "ack_missing" => Input::Signal(Signal::AckMissing),
            "drained" => Input::Signal(Signal::Drained(Counters::default())),
            "timer" => {
                let name = args.next_pos().ok_or("a timer is wanted")?;
                Input::Timer(serde_json::from_str::<TimerId>(&format!("\"{name}\""))?)
            }
            "recovery" => {
                Input::Recovery(Recovery { last_event_at: self.call.last_event_at, fault: "crash".into() })
            }
            name => return Err(format!("unknown input {name}").into()),
        };
        args.reject_next()?;
        Ok(input)
    }
}

fn parsed<T: std::str::FromStr>(
    args: &mut goldenscript::ArgumentConsumer<'_>,
    name: &str,
) -> Result<Option<T>, Box<dyn Error>>
where
    T::Err: Error + 'static,
{
    Ok(args.take_key(name).map(str::parse).transpose()?)
}

fn pending(args: &mut goldenscript::ArgumentConsumer<'_>) -> Result<Pending, Box<dyn Error>> {
    let name = args.next_pos().ok_or("what was pending is wanted")?;
    Ok(serde_json::from_str(&format!("\"{name}\""))?)
}

/// A decision as people read it.
pub fn show(before: &str, after: &str, decision: &Decision) -> String {
    let mut text = String::new();
    if let Some(outcome) = decision.outcome {
        let word = match outcome {
            Outcome::Accepted => "accepted",
            Outcome::AlreadyEnded => "already ended",
            Outcome::Refused => "refused",
        };
        writeln!(text, "command {word}").unwrap();
    }
    if before == after {
        writeln!(text, "in {after}").unwrap();
    } else {
        writeln!(text, "{before} ⇨ {after}").unwrap();
    }
    for event in &decision.events {
        let told = event.notification().map_or(String::new(), |n| format!("   (tells: {})", n.code()));
        let detail = match event {
            callbox_events::call::Event::Ending(e) => format!(" {}", serde_json::to_string(e).unwrap()),
            callbox_events::call::Event::Ended(e) => format!(" {}", serde_json::to_string(e).unwrap()),
            callbox_events::call::Event::Noted(e) => format!(" {}", e.what),
            callbox_events::call::Event::Media(e) => format!(" {}", serde_json::to_string(e).unwrap()),
            callbox_events::call::Event::Progressed(a) => format!(" {}", a.status),
            _ => String::new(),
        };
        writeln!(text, "  event  {}{detail}{told}", event.kind().code()).unwrap();
    }
    for effect in &decision.effects {
        writeln!(text, "  effect {}", serde_json::to_string(effect).unwrap()).unwrap();
    }
    text
}
