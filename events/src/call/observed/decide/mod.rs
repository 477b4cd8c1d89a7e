//! What a sight means. Never an effect: an observer only writes down.

mod conversation;
mod end;
mod setup;

use super::heard::Heard;
use super::opening::Observed;
use super::sight::{Seen, Sight, Stop, WATCH_RESUMED};
use super::state::Watched;
use crate::call::decide::Decision;
use crate::call::event::{Act, Ended, Event, Noted};
use crate::call::phase::Phase;
use crate::call::signal::Signal;
use crate::party::{Agent, Side};
use crate::time::Timestamp;

/// The first sight of a call makes it; of no other kind of sight can anything be recorded then.
pub(in crate::call) fn begin(sight: &Sight) -> Decision {
    match &sight.seen {
        Seen::Invite { opening, .. } => one(Event::Observed(Box::new(Observed::of(opening, false)))),
        Seen::Midway { opening } => one(Event::Observed(Box::new(Observed::of(opening, true)))),
        Seen::Signal(_)
        | Seen::Retried { .. }
        | Seen::Overcome(_)
        | Seen::BranchFailed(_)
        | Seen::BranchCancelled(_)
        | Seen::Answered { .. }
        | Seen::Referred { .. }
        | Seen::Relayed { .. }
        | Seen::Repeated { .. }
        | Seen::Malformed { .. }
        | Seen::Stray { .. }
        | Seen::Heard(_)
        | Seen::Related(_)
        | Seen::Resumed
        | Seen::Stopped(_) => Decision::default(),
    }
}

/// Decides what `sight` leads to at `now`.
pub(in crate::call) fn decide(call: &Watched, sight: &Sight, now: Timestamp) -> Decision {
    if call.released {
        return Decision::default();
    }
    match &sight.seen {
        Seen::Signal(signal) => match call.phase {
            Phase::Idle | Phase::Calling | Phase::Incoming | Phase::Early => {
                setup::decide(call, sight, signal)
            }
            Phase::Connecting | Phase::Connected => conversation::decide(call, sight, signal, now),
            Phase::Ending => end::ending(call, sight, signal),
            Phase::Ended => end::ended(sight, signal),
        },
        Seen::Stopped(stop) => end::stopped(call, *stop),
        Seen::Invite { .. } | Seen::Midway { .. } => noted("invite_again"),
        Seen::Retried { credentials: true, .. } => noted("invite_again_with_credentials"),
        Seen::Retried { credentials: false, .. } => noted("invite_again"),
        Seen::Overcome(response) => noted(format!("failure_{}_overcome", response.status)),
        Seen::BranchFailed(response) => noted(format!("branch_failed_{}", response.status)),
        Seen::BranchCancelled(_) => noted("branch_cancelled"),
        Seen::Answered { method, response } => {
            noted(format!("{}_answered_{}", method.to_ascii_lowercase(), response.status))
        }
        Seen::Referred { status } => noted(format!("refer_progress_{status}")),
        Seen::Relayed { what } => noted(format!("relayed_{}", what.to_ascii_lowercase())),
        Seen::Repeated { what } => noted(format!("repeated_{}", what.to_ascii_lowercase())),
        Seen::Malformed { .. } => noted("malformed"),
        Seen::Stray { what } => noted(format!("stray_{}", what.to_ascii_lowercase())),
        Seen::Heard(heard) => self::heard(call, sight.by, *heard),
        Seen::Resumed => noted(WATCH_RESUMED),
        Seen::Related(related) => noted(related.relation.code()),
    }
}

/// A tone belongs to the call as long as nobody has ended it. One from the called side tells what became of the call; the
/// caller's own audio does not.
fn heard(call: &Watched, by: Side, heard: Heard) -> Decision {
    match (call.phase, by) {
        (Phase::Ending | Phase::Ended, _) => Decision::default(),
        (_, Side::Callee) => noted(heard.code()),
        (_, Side::Caller | Side::Network | Side::Both | Side::Nobody | Side::Unknown) => {
            noted(format!("{}_by_{by}", heard.code()))
        }
    }
}

impl Watched {
    /// Whether the message belongs to another fork than the one that was answered.
    fn is_of_another_fork(&self, sight: &Sight) -> bool {
        match (self.answered_tag(), &sight.tag) {
            (Some(answered), Some(tag)) => answered != tag,
            (Some(_) | None, _) => false,
        }
    }
}

fn one(event: Event) -> Decision {
    Decision { events: vec![event], ..Decision::default() }
}

fn noted(what: impl Into<String>) -> Decision {
    one(Event::Noted(Noted { what: what.into() }))
}

/// What changes nothing in this phase, kept under its name.
fn passing(sight: &Sight, signal: &Signal) -> Decision {
    let name = match signal {
        Signal::Request(request) => request.method.to_ascii_lowercase(),
        Signal::Reachable { .. }
        | Signal::Invite(_)
        | Signal::Cancel(_)
        | Signal::Ack(_)
        | Signal::Bye(_)
        | Signal::Reinvite(_)
        | Signal::Provisional(_)
        | Signal::Success(_)
        | Signal::Failure(_)
        | Signal::CancelAnswered(_)
        | Signal::ByeAnswered(_)
        | Signal::ReinviteAnswered(_)
        | Signal::TimedOut(_)
        | Signal::AckMissing
        | Signal::TransportFailed { .. }
        | Signal::Drained(_) => signal.code().to_owned(),
    };
    match sight.by {
        Side::Caller | Side::Callee => noted(format!("{name}_by_{}", sight.by)),
        Side::Network | Side::Both | Side::Nobody | Side::Unknown => noted(name),
    }
}

fn over(act: Act, side: Side, agent: Agent, status: Option<u16>, notes: &[&str]) -> Event {
    let notes = notes.iter().map(|note| (*note).to_owned()).collect();
    Event::Ended(Ended { act, side, agent, status, between: None, notes, cause: None })
}

fn stop_note(stop: Stop) -> &'static str {
    stop.code()
}
