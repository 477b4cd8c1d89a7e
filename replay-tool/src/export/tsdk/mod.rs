//! The projection for people who come from the vendor's SDK: its event ids, reason codes and states.
//!
//! JSON Lines, one a callback of that SDK: `{"call_id","sip_call_id","time","event_id","event","state","reason_code",
//! "reason_hex","status","cause"}`. `state` is the one after the event. The last four are given with 2007 (ended) and
//! 2022 (end call failed), otherwise null.

mod codes;
mod reason;

use std::io::Write;

use callbox_events::call::{Command, Event, Input, Phase};
use callbox_events::schema::Commit;
use serde::Serialize;

use self::codes::{Callback, State};
use self::reason::Reason;
use super::CallSink;
use super::call::Call;
use super::destination::Destination;
use crate::failure::Failure;

/// Writes the projection.
pub struct Tsdk {
    out: Destination,
}

#[derive(Serialize)]
struct Line<'a> {
    call_id: String,
    sip_call_id: &'a str,
    time: String,
    event_id: u16,
    event: &'static str,
    state: u8,
    reason_code: Option<u32>,
    reason_hex: Option<String>,
    status: Option<u16>,
    cause: Option<&'static str>,
}

impl Tsdk {
    /// Into `out`.
    pub fn new(out: Destination) -> Self {
        Self { out }
    }
}

impl CallSink for Tsdk {
    fn call(&mut self, call: &Call) -> Result<(), Failure> {
        for told in callbacks(call.commits.iter().map(|stored| &stored.commit)) {
            let ended = match told.callback {
                Callback::Ended => Some(Reason::of(&call.why.verdict, is_encrypted(call))),
                Callback::EndCallFailed => Some(Reason::NoSuchCall),
                Callback::Incoming
                | Callback::Outgoing
                | Callback::Ringback
                | Callback::RtpCreated
                | Callback::Connected
                | Callback::Destroyed => None,
            };
            let line = Line {
                call_id: call.summary.call_id.to_string(),
                sip_call_id: &call.summary.sip_call_id,
                time: told.commit.at.to_string(),
                event_id: told.callback.id(),
                event: told.callback.name(),
                state: told.state.number(),
                reason_code: ended.map(Reason::code),
                reason_hex: ended.map(|reason| format!("{:#010x}", reason.code())),
                status: ended.and_then(Reason::status),
                cause: ended.map(|_| call.why.verdict.cause.code()),
            };
            serde_json::to_writer(&mut self.out, &line)?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        self.out.finish()
    }
}

/// Whether the call's messages travelled over TLS.
fn is_encrypted(call: &Call) -> bool {
    let peer = call.first().and_then(Commit::first_dialog).map(|dialog| dialog.peer.transport.to_string());
    peer.is_some_and(|transport| matches!(transport.as_str(), "tls" | "wss"))
}

/// One callback.
struct Told<'a> {
    callback: Callback,
    state: State,
    commit: &'a Commit,
}

/// What the SDK would have told of a call. It tells of media once, when they are set up first.
fn callbacks<'a>(commits: impl Iterator<Item = &'a Commit>) -> Vec<Told<'a>> {
    let mut told: Vec<Told<'a>> = Vec::new();
    let mut state = State::Idle;
    for commit in commits {
        for happened in &commit.events {
            state = state.after(&happened.event, happened.phase);
            for callback in of(&happened.event, &commit.input) {
                let again = *callback == Callback::RtpCreated
                    && told.iter().any(|before| before.callback == Callback::RtpCreated);
                if !again {
                    told.push(Told { callback: *callback, state, commit });
                }
            }
        }
    }
    told
}

fn of(event: &Event, input: &Input) -> &'static [Callback] {
    match event {
        Event::Offered(_) => &[Callback::Incoming],
        Event::Sent { .. } | Event::Observed(_) => &[Callback::Outgoing],
        Event::Rang(_) => &[Callback::Ringback],
        Event::EarlyMedia(_) => &[Callback::Ringback, Callback::RtpCreated],
        Event::Answered(_) => &[Callback::RtpCreated],
        Event::Connected | Event::FoundConnected => &[Callback::Connected],
        Event::Ended(_) => &[Callback::Ended],
        Event::Released(_) => &[Callback::Destroyed],
        Event::Noted(noted) if noted.what == "command_refused" && is_hangup(input) => {
            &[Callback::EndCallFailed]
        }
        Event::Placed(_)
        | Event::Progressed(_)
        | Event::Media(_)
        | Event::MediaRequested { .. }
        | Event::MediaRefused { .. }
        | Event::Ending(_)
        | Event::EndingSent
        | Event::Recovered(_)
        | Event::CancelSeen
        | Event::EndSeen(_)
        | Event::Noted(_) => &[],
    }
}

fn is_hangup(input: &Input) -> bool {
    matches!(input, Input::Command(Command::Hangup(_)))
}

impl State {
    /// The state after an event that led to this phase.
    fn after(self, event: &Event, phase: Phase) -> Self {
        if let Event::Offered(_) = event {
            return Self::In;
        }
        if let Event::Placed(_) = event {
            return Self::Out;
        }
        if let Event::Released(_) = event {
            return Self::Idle;
        }
        match phase {
            Phase::Connected => self.talking(event),
            Phase::Ended => Self::End,
            Phase::Idle
            | Phase::Calling
            | Phase::Incoming
            | Phase::Early
            | Phase::Connecting
            | Phase::Ending => self,
        }
    }

    fn talking(self, event: &Event) -> Self {
        use callbox_events::sip::MediaDirection;
        if let Event::Media(media) = event {
            return match media.direction {
                MediaDirection::SendOnly | MediaDirection::Inactive => Self::Hold,
                MediaDirection::SendRecv | MediaDirection::RecvOnly => Self::Live,
            };
        }
        if self == Self::Hold { Self::Hold } else { Self::Live }
    }
}
