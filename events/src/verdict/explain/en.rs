//! English.

use super::super::families::Cause;
use super::super::text::span;
use super::super::vocabulary::{AnswerKind, RaceKind, VerdictPhase};
use super::{OddBye, Told};
use crate::party::{Agent, Side};

/// The verdict in one sentence.
pub(super) fn sentence(told: &Told) -> String {
    let body = match told.cause {
        Cause::Hangup => hangup(told),
        Cause::Cancelled => cancelled(told),
        Cause::NoAnswer => no_answer(told),
        Cause::Busy
        | Cause::BusyEverywhere
        | Cause::Declined
        | Cause::Unavailable
        | Cause::DoNotDisturb
        | Cause::Unwanted => refused(told),
        Cause::EngineLost | Cause::StorageFailed | Cause::InternalError => crashed(told),
        Cause::Alive => alive(told),
        cause => format!("{}{}", plain(cause, told), status(told)),
    };
    format!("{body}{}.", hidden(told))
}

fn hangup(told: &Told) -> String {
    let what = match (told.phase, told.kind, told.talk_ms) {
        (VerdictPhase::Answering, _, _) => " right after the answer, before the ACK came".to_owned(),
        (_, Some(AnswerKind::Announcement), Some(ms)) => format!(" after {} of an announcement", span(ms)),
        (_, Some(AnswerKind::Automaton), Some(ms)) => {
            format!(" after {} with an automatic answer", span(ms))
        }
        (VerdictPhase::Held, _, Some(ms)) => format!(" while the call was on hold, {} into it", span(ms)),
        (_, _, Some(ms)) => format!(" after a conversation of {}", span(ms)),
        (_, _, None) => String::new(),
    };
    let bye = match told.bye {
        Some(OddBye::Unanswered) => "; the BYE was never answered".to_owned(),
        Some(OddBye::Answered(status)) => format!("; the BYE was answered with {status}"),
        None => String::new(),
    };
    if told.side == Side::Both {
        return format!("Both sides hung up at the same time{what}{bye}");
    }
    format!("{} hung up{what}{bye}", actor(told))
}

fn cancelled(told: &Told) -> String {
    if told.unsent {
        return format!("{} gave up before anything was sent", actor(told));
    }
    let when = match (told.phase, told.kind, told.ring_ms) {
        (VerdictPhase::EarlyMedia, Some(AnswerKind::Announcement), _) => {
            "while an announcement played".to_owned()
        }
        (VerdictPhase::EarlyMedia, _, Some(ms)) => format!("after {} of early media", span(ms)),
        (VerdictPhase::Ringing, _, Some(ms)) => format!("after {} of ringing", span(ms)),
        _ => "before it rang".to_owned(),
    };
    let race = if told.raced(RaceKind::CancelVs200) {
        "; the answer crossed the CANCEL and was ended at once"
    } else if told.raced(RaceKind::RejectVsCancel) {
        "; a refusal crossed the CANCEL"
    } else if told.no_final {
        "; no final response ever came"
    } else {
        ""
    };
    format!("{} cancelled the call {when}{race}", actor(told))
}

fn no_answer(told: &Told) -> String {
    let rang = match told.ring_ms {
        Some(ms) => format!(" within {}", span(ms)),
        None => String::new(),
    };
    let whose = match told.side {
        Side::Caller => "; the caller's timer gave up",
        Side::Callee => "; the called side's timer gave up",
        Side::Network => "; the network gave up",
        Side::Both | Side::Nobody | Side::Unknown => "",
    };
    let race =
        if told.raced(RaceKind::TimerVsAnswer) { ", and an answer that came too late was ended" } else { "" };
    format!("Nobody answered{rang}{whose}{}{race}", status(told))
}

fn refused(told: &Told) -> String {
    let body = match (told.cause, told.agent, told.side) {
        (Cause::Busy, _, _) => "The called party was busy",
        (Cause::BusyEverywhere, _, _) => "The called party was busy on all its devices",
        (Cause::Declined, Agent::User, _) => "The called user declined the call",
        (Cause::Declined, Agent::Application, _) => "The called side's application declined the call",
        (Cause::Declined, _, _) => "The called party declined the call",
        (Cause::Unavailable, _, Side::Network) => "The network said that the called party is unavailable",
        (Cause::Unavailable, _, _) => "The called party was unavailable",
        (Cause::DoNotDisturb, _, _) => "The called party had set do-not-disturb, so it never rang",
        (_, _, _) => "The called party does not want calls from this caller",
    };
    if let Some(ms) = told.late_busy_ms {
        let rang = span(ms);
        return format!("{body}, or its phone gave up after {rang} of ringing{}", status(told));
    }
    let media = if told.phase == VerdictPhase::EarlyMedia { ", after early media" } else { "" };
    format!("{body}{media}{}", status(told))
}

fn crashed(told: &Told) -> String {
    let what = match told.cause {
        Cause::StorageFailed => "The journal failed",
        Cause::InternalError => "The engine had a fault in this call",
        _ => "The engine was lost",
    };
    let phase = match told.phase {
        VerdictPhase::Setup => "while the call was set up",
        VerdictPhase::Ringing => "while it rang",
        VerdictPhase::EarlyMedia => "during early media",
        VerdictPhase::Answering => "right after the answer",
        VerdictPhase::Connected => "during the conversation",
        VerdictPhase::Held => "while the call was on hold",
        VerdictPhase::Ending => "while the call ended",
    };
    match told.interval {
        Some((from, until)) => format!("{what} {phase}; the call ended between {from} and {until}"),
        None => format!("{what} {phase}"),
    }
}

fn alive(told: &Told) -> String {
    match told.phase {
        VerdictPhase::Setup => "The call is being set up",
        VerdictPhase::Ringing => "The call is ringing",
        VerdictPhase::EarlyMedia => "The call is not answered yet and carries early media",
        VerdictPhase::Answering => "The call was answered and waits for the ACK",
        VerdictPhase::Connected => "The call is connected",
        VerdictPhase::Held => "The call is connected and on hold",
        VerdictPhase::Ending => "The call is being ended",
    }
    .to_owned()
}

/// Causes whose sentence needs no circumstances.
fn plain(cause: Cause, told: &Told) -> String {
    match cause {
        Cause::ConferenceEnded => "The conference was closed",
        Cause::AnsweredElsewhere => "The call was answered on another device",
        Cause::DeclinedElsewhere => "The call was declined on another device",
        Cause::PickedUp => "Somebody else picked the call up",
        Cause::ForkLost => "Another branch of the call was answered first",
        Cause::Redirected => "The called side sent the caller elsewhere",
        Cause::RedirectFailed => "The call was sent elsewhere, but nowhere it could go",
        Cause::Transferred => "The call was transferred",
        Cause::Replaced => "Another call took the place of this one",
        Cause::NotFound => "The called address does not exist",
        Cause::Gone => "The called address is no longer in use",
        Cause::BadNumber => "The called number is incomplete or ambiguous",
        Cause::NoRoute => "The network found no route to the called address",
        Cause::NotRegistered => "The called party is not registered anywhere, so it never rang",
        Cause::DnsFailed => "The called address could not be resolved",
        Cause::BadUri => "The called address can't be used",
        Cause::OutOfService => "The line of the called party is out of service",
        Cause::AuthFailed => "The network did not accept the caller's credentials",
        Cause::Forbidden => "The call was forbidden",
        Cause::PaymentRequired => "The call would have to be paid for",
        Cause::Screened => "An intermediary blocked the call",
        Cause::IdentityRejected => "The caller's identity was not accepted",
        Cause::Barred => "Calls of this kind are barred",
        Cause::RateLimited => "Too many calls were made in too short a time",
        Cause::MediaRejected => "The two ends had no media in common",
        Cause::ExtensionRequired => "An extension that one end requires was not supported",
        Cause::EncryptionRequired => "One end requires encryption",
        Cause::IntervalTooSmall => "The session timer was too short for the other end",
        Cause::MessageTooLarge => "A message was too large",
        Cause::MissingMedia => "A session description was missing",
        Cause::ServiceUnavailable => "A server was overloaded or out of service",
        Cause::ServerError => "A server had an error",
        Cause::GatewayTimeout => "A server got no answer in time",
        Cause::Congestion => "The network was congested",
        Cause::PreconditionFailed => "The resources for the call could not be reserved",
        Cause::NoResponse => return no_response(told),
        Cause::AckMissing => "The answer was never acknowledged, so the called side ended the call",
        Cause::PrackMissing => "A reliable provisional response was never acknowledged",
        Cause::FinalMissing => "The call was proceeding, but no final response ever came",
        Cause::TransportFailed => "A message could not be sent",
        Cause::SessionExpired => "The session was not refreshed in time",
        Cause::DialogGone => "The other side no longer knew the call",
        Cause::KeepaliveLost => "The keep-alive got no answer",
        Cause::MediaTimeout => "No more media arrived",
        Cause::IceFailed => "No path for the media was found",
        Cause::MediaSecurityFailed => "The media could not be encrypted",
        Cause::ConsentExpired => "The consent to send media was not renewed",
        Cause::DeviceFailed => "The sound device failed",
        Cause::MaxDuration => "The call reached its longest allowed duration",
        Cause::CreditExhausted => "The credit was used up",
        Cause::MaxCalls => "The called side had reached its limit of calls, so it never rang",
        Cause::Preempted => "A more important call took the resources",
        Cause::Idle => "Nothing had happened in the call for too long",
        Cause::Malformed => "A message was not understood",
        Cause::DialogMismatch => "The message belonged to no call that the other side knows",
        Cause::MergedRequest => "The same call arrived on two ways at once",
        Cause::GlareUnresolved => "Both ends kept changing the call at the same time",
        Cause::MethodRefused => "The other side does not support this kind of request",
        Cause::Unsolicited => "A message came that nobody had asked for",
        Cause::AdminKill => "An administrator ended the call",
        Cause::Shutdown => "The engine was shut down",
        Cause::ResourcesExhausted => "The engine ran out of resources",
        Cause::ApplicationLost => "The application went away",
        Cause::RecordGap => "The record does not hold the end of this call",
        Cause::CaptureEnded => "The capture stopped before the call did",
        Cause::Contradictory => "The evidence contradicts itself",
        Cause::Hangup
        | Cause::Cancelled
        | Cause::NoAnswer
        | Cause::Busy
        | Cause::BusyEverywhere
        | Cause::Declined
        | Cause::Unavailable
        | Cause::DoNotDisturb
        | Cause::Unwanted
        | Cause::EngineLost
        | Cause::StorageFailed
        | Cause::InternalError
        | Cause::Alive => "The call ended",
    }
    .to_owned()
}

fn no_response(told: &Told) -> String {
    match told.status {
        Some(_) => "The network got no response from the called side, so it never rang".to_owned(),
        None => "Nothing ever came back: whether a phone exists there is not known".to_owned(),
    }
}

fn actor(told: &Told) -> String {
    let side = match told.side {
        Side::Caller => "The caller",
        Side::Callee => "The called party",
        Side::Network if told.agent == Agent::Automaton => return machine(told).to_owned(),
        Side::Network => "The network",
        Side::Both => "Both sides",
        Side::Nobody => "Nobody",
        Side::Unknown => "Somebody",
    };
    match told.agent {
        Agent::Application => format!("{side}'s application"),
        Agent::Administrator => format!("{side}'s administrator"),
        Agent::Timer => format!("{side}'s timer"),
        Agent::Automaton => format!("{side}'s machine"),
        Agent::Engine => format!("{side}'s engine"),
        Agent::User | Agent::Unknown => side.to_owned(),
    }
}

fn machine(told: &Told) -> &'static str {
    match told.kind {
        Some(AnswerKind::Automaton) => "The automatic answer",
        Some(AnswerKind::Announcement | AnswerKind::Party | AnswerKind::Unknown) | None => {
            "The announcement server"
        }
    }
}

fn status(told: &Told) -> String {
    match told.status {
        Some(status) if status >= 300 && status != 487 => format!(" ({status})"),
        Some(_) | None => String::new(),
    }
}

fn hidden(told: &Told) -> &'static str {
    match told.underlying {
        Some(Cause::Busy) => "; behind it, the called party was busy",
        Some(Cause::Declined) => "; behind it, the called party had declined",
        Some(Cause::NoAnswer) => "; behind it, nobody had answered",
        Some(_) | None => "",
    }
}
