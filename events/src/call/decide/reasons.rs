//! The Reason values (RFC 3326) that we send by ourselves: our intent, told to the other side and to its record.

use super::stated;
use crate::call::command::Hangup;
use crate::party::Agent;
use crate::sip::Reason;

/// For a BYE: normal call clearing, in the hanger-up's words if there are any.
pub(super) fn bye(hangup: &Hangup) -> Vec<Reason> {
    own_or(hangup, || vec![Reason::q850(16, text(hangup, "Normal call clearing"))])
}

/// For a CANCEL by the caller's user.
pub(super) fn cancel(hangup: &Hangup) -> Vec<Reason> {
    own_or(hangup, || vec![Reason::sip(487, text(hangup, "Cancelled by caller")), Reason::q850(16, "")])
}

/// For a reject: the Q.850 cause that belongs to the status (RFC 3398 §8.2.6.1 read backwards), and the words.
pub(super) fn reject(hangup: &Hangup, status: u16) -> Vec<Reason> {
    own_or(hangup, || match q850_of(status) {
        Some((cause, words)) => vec![Reason::q850(cause, text(hangup, words))],
        None => match &hangup.reason {
            Some(words) => vec![Reason::sip(status, words)],
            None => Vec::new(),
        },
    })
}

/// Nobody answered in time.
pub(super) fn no_answer() -> Vec<Reason> {
    vec![Reason::q850(19, "No answer")]
}

/// An answer that comes when nobody wants it any more.
pub(super) fn late_answer() -> Vec<Reason> {
    vec![Reason::q850(16, "Call already ended")]
}

/// Our 2xx was never acknowledged.
pub(super) fn ack_missing() -> Vec<Reason> {
    vec![Reason::sip(408, "ACK missing"), Reason::q850(102, "Recovery on timer expiry")]
}

/// The conversation had its time.
pub(super) fn time_is_up(words: &str) -> Vec<Reason> {
    vec![Reason::q850(16, words)]
}

/// The dialog is broken.
pub(super) fn dialog_gone() -> Vec<Reason> {
    vec![Reason::sip(481, "Dialog gone")]
}

/// The engine lost its memory of the present.
pub(super) fn engine_lost() -> Vec<Reason> {
    vec![Reason::q850(41, "Engine restarted")]
}

/// The application's own values, else what belongs to the cause it stated, else ours.
fn own_or(hangup: &Hangup, default: impl FnOnce() -> Vec<Reason>) -> Vec<Reason> {
    if !hangup.reasons.is_empty() {
        return hangup.reasons.clone();
    }
    match hangup.cause {
        Some(cause) => vec![stated::reason(cause, hangup.reason.as_deref())],
        None => default(),
    }
}

fn text<'a>(hangup: &'a Hangup, default: &'a str) -> &'a str {
    match (&hangup.reason, hangup.origin) {
        (Some(words), _) => words,
        (None, Agent::Administrator) => "Ended by administrator",
        (
            None,
            Agent::User
            | Agent::Application
            | Agent::Timer
            | Agent::Automaton
            | Agent::Engine
            | Agent::Unknown,
        ) => default,
    }
}

fn q850_of(status: u16) -> Option<(u16, &'static str)> {
    match status {
        404 | 485 | 604 => Some((1, "Unallocated number")),
        410 => Some((22, "Number changed")),
        480 => Some((20, "Subscriber absent")),
        484 => Some((28, "Invalid number format")),
        486 | 600 => Some((17, "User busy")),
        403 | 603 | 607 | 608 => Some((21, "Call rejected")),
        488 | 606 => Some((88, "Incompatible destination")),
        500 | 503 => Some((41, "Temporary failure")),
        _ => None,
    }
}
