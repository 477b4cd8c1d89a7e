//! Signalling that broke down: transaction timers and the transport, as our own side saw it.

use super::super::draft::Draft;
use super::super::facts::{Facts, millis};
use super::super::families::Cause;
use super::super::text;
use super::super::vocabulary::Fault;
use crate::call::{Act, Input, Pending, Signal};
use crate::party::{Agent, Side};

/// 5a: our 2xx was sent for 64·T1 and no ACK came (RFC 3261 §13.3.1.4).
pub(super) fn ack_missing(facts: &Facts<'_>) -> Option<Draft> {
    let decisive = facts.decisive?;
    let Input::Signal(Signal::AckMissing) = decisive.what.input else { return None };
    let waited = facts.answered.map_or(0, |answered| millis(decisive.at, answered.at));
    let side = facts.role?.side();
    Some(Draft::certain(Cause::AckMissing, side, Agent::Timer).by_recorded(facts).because(
        decisive.event,
        format!("no ACK came for {} after the answer (64·T1, RFC 3261 §13.3.1.4)", text::span(waited)),
    ))
}

/// 4d: timer B ran out with nothing heard: nobody knows whether a phone exists. Never `no_answer`.
pub(super) fn no_response(facts: &Facts<'_>) -> Option<Draft> {
    let event = invite_timed_out(facts)?;
    if !facts.provisionals.is_empty() {
        return None;
    }
    Some(
        Draft::certain(Cause::NoResponse, Side::Network, Agent::Timer)
            .by(Act::Timeout)
            .because(event, "no response at all to the INVITE before timer B (RFC 3261 §17.1.1.2)"),
    )
}

/// Something was heard, but never a final response.
pub(super) fn final_missing(facts: &Facts<'_>) -> Option<Draft> {
    let event = invite_timed_out(facts)?;
    let heard = facts.provisionals.last()?;
    Some(
        Draft::certain(Cause::FinalMissing, Side::Network, Agent::Timer)
            .by(Act::Timeout)
            .because(event, "no final response to the INVITE in time")
            .because(heard.event, format!("the last that was heard was a {}", heard.what.status)),
    )
}

/// The INVITE could not leave because its target could not be found out.
pub(super) fn unreachable(facts: &Facts<'_>) -> Option<Draft> {
    let (event, _, detail) = transport_failure(facts)?;
    if facts.sent.is_some() {
        return None;
    }
    let detail = detail.to_ascii_lowercase();
    let has =
        |known: &[&str]| detail.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| known.contains(&word));
    let (cause, says, fault) = if has(&["resolve", "resolved", "resolution", "dns", "lookup", "name"]) {
        (Cause::DnsFailed, "the target's name could not be resolved", Fault::Network)
    } else if has(&["uri", "scheme", "supported"]) {
        (Cause::BadUri, "the target is no address that can be called", Fault::Caller)
    } else {
        return None;
    };
    let mut draft =
        Draft::certain(cause, Side::Network, Agent::Engine).by_recorded(facts).because(event, says);
    draft.fault = Some(fault);
    Some(draft)
}

/// 5c: a message could not be sent, or its connection broke.
pub(super) fn transport_failed(facts: &Facts<'_>) -> Option<Draft> {
    let (event, pending, _) = transport_failure(facts)?;
    let what = match pending {
        Pending::Invite => "the INVITE",
        Pending::Cancel => "the CANCEL",
        Pending::Bye => "the BYE",
        Pending::Reinvite => "the re-INVITE",
        Pending::Other => "a message",
    };
    Some(
        Draft::certain(Cause::TransportFailed, Side::Network, Agent::Engine)
            .by(Act::TransportError)
            .because(event, format!("the transport failed for {what}")),
    )
}

/// 5k: the other side no longer knows the dialog, or no longer answers in it (RFC 5057 §5.1).
pub(super) fn dialog_gone(facts: &Facts<'_>) -> Option<Draft> {
    let decisive = facts.decisive?;
    let Input::Signal(signal) = decisive.what.input else { return None };
    let says = match signal {
        Signal::ReinviteAnswered(response) => format!("the re-INVITE was answered with {}", response.status),
        Signal::TimedOut(Pending::Reinvite) => "the re-INVITE was never answered".to_owned(),
        Signal::Reachable { .. }
        | Signal::Invite(_)
        | Signal::Cancel(_)
        | Signal::Ack(_)
        | Signal::Bye(_)
        | Signal::Reinvite(_)
        | Signal::Request(_)
        | Signal::Provisional(_)
        | Signal::Success(_)
        | Signal::Failure(_)
        | Signal::CancelAnswered(_)
        | Signal::ByeAnswered(_)
        | Signal::TimedOut(Pending::Invite | Pending::Cancel | Pending::Bye | Pending::Other)
        | Signal::AckMissing
        | Signal::TransportFailed { .. }
        | Signal::Drained(_) => return None,
    };
    Some(
        Draft::strong(Cause::DialogGone, facts.role?.peer().side(), Agent::Unknown)
            .by_recorded(facts)
            .because(decisive.event, format!("{says}: the other side lost the dialog (RFC 5057)")),
    )
}

fn invite_timed_out(facts: &Facts<'_>) -> Option<u64> {
    let decisive = facts.decisive?;
    let Signal::TimedOut(Pending::Invite) = decisive.what.signal()? else { return None };
    Some(decisive.event)
}

fn transport_failure<'a>(facts: &Facts<'a>) -> Option<(u64, Pending, &'a str)> {
    let decisive = facts.decisive?;
    let Signal::TransportFailed { pending, detail } = decisive.what.signal()? else { return None };
    Some((decisive.event, *pending, detail.as_str()))
}
