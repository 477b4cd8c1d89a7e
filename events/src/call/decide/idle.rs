//! Idle: the first input makes the call.

use std::sync::Arc;
use std::time::Duration;

use super::endings::{DEFAULT_REFUSAL, ended};
use super::{Decision, callee, reasons};
use crate::call::command::{Command, Hangup, Outcome, Place};
use crate::call::effect::Effect;
use crate::call::event::{Act, Ending, Event, Offered, Placed};
use crate::call::input::Input;
use crate::call::observed;
use crate::call::policy::{IncomingPolicy, RefusalKind};
use crate::call::signal::{Invite, Signal};
use crate::call::timers::TimerId;
use crate::party::{Agent, Side};
use crate::time::Timestamp;

pub(super) fn decide(input: &Input, now: Timestamp) -> Decision {
    match input {
        Input::Command(Command::Place(place)) => place_call(place, now),
        Input::Signal(Signal::Invite(invite)) => offer(invite, now),
        Input::Command(
            Command::Ring
            | Command::Accept
            | Command::Hangup(_)
            | Command::Hold
            | Command::Resume
            | Command::Divert { .. }
            | Command::Note(_),
        ) => Decision { outcome: Some(Outcome::Refused), ..Decision::default() },
        // Nothing can be recorded of a call that does not exist.
        Input::Signal(_) | Input::Timer(_) | Input::Recovery(_) => Decision::nothing(),
        Input::Observed(sight) => observed::begin(sight),
    }
}

fn place_call(place: &Place, now: Timestamp) -> Decision {
    let placed = Placed {
        from: place.from.clone(),
        to: place.to.clone(),
        dialog: Arc::clone(&place.dialog),
        policy: place.policy.clone(),
    };
    let decision = Decision::default().event(Event::Placed(Box::new(placed)));
    let decision = if place.reachable {
        let peer = place.dialog.peer;
        decision.event(Event::Sent { peer }).effect(Effect::SendInvite { peer })
    } else {
        decision.effect(Effect::Reach)
    };
    decision.arm_after(TimerId::NoAnswer, now, place.policy.no_answer_ms).accepted()
}

fn offer(invite: &Invite, now: Timestamp) -> Decision {
    let expires_at = invite.expires.map(|seconds| now + Duration::from_secs(seconds.into()));
    let offered = Offered {
        from: invite.from.clone(),
        to: invite.to.clone(),
        dialog: Arc::clone(&invite.dialog),
        policy: invite.policy.clone(),
        expires_at,
    };
    let decision = Decision::default().event(Event::Offered(Box::new(offered)));
    let policy = &invite.policy;
    match policy.incoming {
        IncomingPolicy::Refuse { status, why } => refuse(decision, status, why),
        IncomingPolicy::Answer => callee::answer(decision, &invite.dialog),
        IncomingPolicy::Ring => waiting(callee::ring(decision, &invite.dialog), invite, expires_at, now),
        IncomingPolicy::Wait if policy.ring_after_ms == Some(0) => {
            waiting(callee::ring(decision, &invite.dialog), invite, expires_at, now)
        }
        IncomingPolicy::Wait => waiting(decision, invite, expires_at, now).arm_after(
            TimerId::RingDelay,
            now,
            policy.ring_after_ms,
        ),
    }
}

/// The call waits for its callee: the delays of the policy run, and the patience of both sides.
fn waiting(decision: Decision, invite: &Invite, expires_at: Option<Timestamp>, now: Timestamp) -> Decision {
    let policy = &invite.policy;
    if policy.answer_after_ms == Some(0) {
        return callee::answer(decision, &invite.dialog);
    }
    let own = policy.no_answer_ms.map(|ms| now + Duration::from_millis(ms));
    let decision = match own.into_iter().chain(expires_at).min() {
        Some(at) => decision.effect(Effect::Arm { timer: TimerId::NoAnswer, at }),
        None => decision,
    };
    decision.arm_after(TimerId::AnswerDelay, now, policy.answer_after_ms)
}

fn refuse(decision: Decision, status: u16, why: RefusalKind) -> Decision {
    let (agent, retry_after) = match why {
        RefusalKind::Configured => (Agent::Application, None),
        RefusalKind::Busy | RefusalKind::DoNotDisturb => (Agent::Engine, None),
        RefusalKind::MaxCalls | RefusalKind::Shutdown => (Agent::Engine, Some(RETRY_AFTER_S)),
    };
    let status = if (300..=699).contains(&status) { status } else { DEFAULT_REFUSAL };
    let reasons = reasons::reject(&Hangup::by(agent), status);
    decision
        .event(Event::Ending(Ending {
            act: Act::FinalResponse,
            agent,
            reasons: reasons.clone(),
            held: false,
            cause: None,
        }))
        .end(ended(Act::FinalResponse, Side::Callee, agent, Some(status)))
        .effect(Effect::Respond { status, sdp: false, reasons, contact: None, retry_after })
}

/// How long a refused caller should wait before it tries again, when we are merely full.
const RETRY_AFTER_S: u32 = 5;
