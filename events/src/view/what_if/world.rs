//! The other side, as a run assumes it: what it would have answered, and what it can't have said any more.
//!
//! The rules, each of which becomes an assumption that the result names:
//! - What the other side said by itself (it rang, answered, refused, hung up) it would have said at the same time, as
//!   long as the call was still in a state in which it can be said.
//! - What it said in answer to a message of ours that is not sent now is left out.
//! - A message of ours that is sent now and was not then is answered as the record's own one of that kind was, and
//!   after the same time; if there is none, as a sound peer answers, after the record's shortest round trip.

use std::time::Duration;

use super::assumption::Kind;
use super::record::{Ask, Record};
use crate::call::{Call, Input, Phase, Signal, State};
use crate::sip::{Request, Response};

/// What is assumed of a network of which the record tells nothing.
const ROUND_TRIP: Duration = Duration::from_millis(50);

/// What becomes of a recorded signal in a run that has parted from the record.
pub(super) enum Fate {
    /// It comes, at the same time.
    Comes,
    /// Something else comes in its place.
    Becomes(Box<Signal>, Kind),
    /// It does not come.
    LeftOut(Kind),
    /// It does not come, and goes without saying: a clock's word, the end of transactions.
    Void,
}

/// How a message of ours stands in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Sent as on record: what answered it then answers it now.
    AsRecorded,
    /// Sent now: its answers are assumed.
    Assumed,
    /// Lost on its way, by the user's wish.
    Lost,
}

/// What becomes of `signal`, which answers what stands like `standing`, in a call that stands like `call`.
pub(super) fn fate(call: &Call, signal: &Signal, answers: Option<(Ask, Option<Standing>)>) -> Fate {
    if let Some((ask, standing)) = answers
        && !matches!(standing, Some(Standing::AsRecorded))
    {
        return Fate::LeftOut(Kind::NotAsked { ask: ask_words(ask) });
    }
    let phase = call.phase();
    let waits = matches!(phase, Phase::Calling | Phase::Early) || is_cancelling(call);
    let talks = matches!(phase, Phase::Connecting | Phase::Connected);
    let possible = |holds: bool| if holds { Fate::Comes } else { Fate::LeftOut(Kind::Impossible { phase }) };
    match signal {
        Signal::Reachable { .. } => possible(matches!(call.state, State::Calling { sent: false, .. })),
        Signal::Invite(_) => possible(phase == Phase::Idle),
        Signal::Cancel(request) => cancel(phase, request),
        Signal::Ack(_) => possible(matches!(phase, Phase::Connecting | Phase::Ending)),
        Signal::Bye(_) => {
            possible(talks || phase == Phase::Ending && !is_cancelling(call) || early_callee(call))
        }
        Signal::Reinvite(_) => possible(talks || phase == Phase::Ending),
        Signal::Request(_) => possible(phase != Phase::Idle),
        Signal::Provisional(_) => possible(waits),
        Signal::Success(_) => possible(waits || phase == Phase::Connected),
        Signal::Failure(_) => possible(waits),
        Signal::CancelAnswered(_) => possible(is_cancelling(call)),
        Signal::ByeAnswered(_) => possible(phase == Phase::Ending),
        Signal::ReinviteAnswered(_) => possible(phase == Phase::Connected),
        Signal::TransportFailed { .. } => possible(!matches!(phase, Phase::Idle | Phase::Ended)),
        Signal::TimedOut(_) | Signal::AckMissing | Signal::Drained(_) => Fate::Void,
    }
}

/// A CANCEL that finds the call answered: a person who wanted to end the call sends BYE instead; a caller whose patience
/// was over, or who was answered elsewhere, has no reason to.
fn cancel(phase: Phase, request: &Request) -> Fate {
    let void = |reason: &crate::sip::Reason| {
        let protocol = reason.protocol.to_ascii_uppercase();
        match reason.cause {
            Some(cause) => {
                protocol == "SIP" && matches!(cause, 200 | 408) || protocol == "Q.850" && cause == 19
            }
            None => false,
        }
    };
    match phase {
        Phase::Incoming | Phase::Early => Fate::Comes,
        Phase::Connecting | Phase::Connected if request.reasons.iter().any(void) => {
            Fate::LeftOut(Kind::CancelVoid)
        }
        Phase::Connecting | Phase::Connected => {
            let bye =
                Request { method: "BYE".into(), cseq: request.cseq.saturating_add(1), ..request.clone() };
            Fate::Becomes(Box::new(Signal::Bye(bye)), Kind::CancelIsBye)
        }
        Phase::Idle | Phase::Calling | Phase::Ending | Phase::Ended => {
            Fate::LeftOut(Kind::Impossible { phase })
        }
    }
}

fn is_cancelling(call: &Call) -> bool {
    matches!(&call.state, State::Ending(intent) if intent.act() == crate::call::Act::Cancel)
}

/// A caller may end an early dialog with BYE (RFC 3261 §15).
fn early_callee(call: &Call) -> bool {
    let callee = call.profile.as_ref().is_some_and(|profile| profile.role == crate::party::Role::Callee);
    callee && matches!(call.phase(), Phase::Incoming | Phase::Early)
}

/// What the other side says to `ask`, sent now, and how much later; with what is assumed by that.
pub(super) fn reaction(record: &Record<'_>, ask: Ask, call: &Call) -> (Vec<(Duration, Input)>, Kind) {
    let recorded = record.answers_to(ask);
    let completes = |input: &Input| matches!(input, Input::Signal(Signal::Failure(_))) || ask != Ask::Cancel;
    if recorded.iter().any(|(_, input)| completes(input)) {
        return (recorded, Kind::AnsweredAsRecorded { ask: ask_words(ask) });
    }
    let silent = record.has_asked(ask) && ask != Ask::Cancel && !hung_up_too(record);
    if silent || record.round_trip.is_none() && record.has_asked(Ask::Invite) {
        return (Vec::new(), Kind::Unanswered { ask: ask_words(ask) });
    }
    let after = record.round_trip.unwrap_or(ROUND_TRIP);
    let kind = Kind::AnsweredSoundly {
        ask: ask_words(ask),
        with: with_words(ask),
        after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
        measured: record.round_trip.is_some(),
    };
    let answers = sound(ask, call).into_iter().map(|signal| (after, Input::Signal(signal))).collect();
    (answers, kind)
}

/// Whether the other side's own BYE is on record: a BYE of ours that it left unanswered then tells nothing.
fn hung_up_too(record: &Record<'_>) -> bool {
    record.commits.iter().any(|stored| matches!(stored.commit.input, Input::Signal(Signal::Bye(_))))
}

/// What a sound peer says.
fn sound(ask: Ask, call: &Call) -> Vec<Signal> {
    let to_tag = call.profile.as_ref().and_then(|profile| profile.dialog.remote_tag.clone());
    let response = |status: u16, phrase: &str| Response {
        status,
        phrase: phrase.to_owned(),
        to_tag: to_tag.clone(),
        ..Response::default()
    };
    match ask {
        Ask::Invite => Vec::new(),
        Ask::Cancel => vec![
            Signal::CancelAnswered(response(200, "OK")),
            Signal::Failure(response(487, "Request Terminated")),
        ],
        Ask::Bye => vec![Signal::ByeAnswered(response(200, "OK"))],
        Ask::Reinvite => vec![Signal::ReinviteAnswered(response(200, "OK"))],
        Ask::Answer => {
            let cseq = call.profile.as_ref().map(|profile| profile.dialog.invite_cseq).unwrap_or_default();
            vec![Signal::Ack(Request { method: "ACK".into(), cseq, ..Request::default() })]
        }
    }
}

pub(super) fn ask_words(ask: Ask) -> &'static str {
    match ask {
        Ask::Invite => "INVITE",
        Ask::Cancel => "CANCEL",
        Ask::Bye => "BYE",
        Ask::Reinvite => "re-INVITE",
        Ask::Answer => "200",
    }
}

fn with_words(ask: Ask) -> &'static str {
    match ask {
        Ask::Invite => "nothing",
        Ask::Cancel => "200, and the INVITE with 487",
        Ask::Bye | Ask::Reinvite => "200",
        Ask::Answer => "an ACK",
    }
}
