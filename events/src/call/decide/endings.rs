//! How each kind of end begins and completes: shared by the phases.

use super::{Decision, Moment, reasons};
use crate::call::command::Hangup;
use crate::call::effect::Effect;
use crate::call::event::{Act, Ended, Ending, Event};
use crate::call::state::EndIntent;
use crate::call::timers::TimerId;
use crate::party::{Agent, Role, Side};
use crate::sip::{Reason, Response};
use crate::time::Timestamp;
use crate::verdict::Cause;

/// What a refusal without a valid status says: decline.
pub(super) const DEFAULT_REFUSAL: u16 = 603;

/// The call is over by `act` of `side`.
pub(super) fn ended(act: Act, side: Side, agent: Agent, status: Option<u16>) -> Ended {
    Ended { act, side, agent, status, between: None, notes: Vec::new(), cause: None }
}

impl Decision {
    /// The application said why it wanted this end.
    pub(super) fn stating(mut self, cause: Option<Cause>) -> Self {
        for event in &mut self.events {
            if let Event::Ending(ending) = event {
                ending.cause = cause;
            } else if let Event::Ended(ended) = event {
                ended.cause = cause;
            }
        }
        self
    }

    /// Adds the end of the call and forgets its timers.
    pub(super) fn end(self, how: Ended) -> Self {
        self.event(Event::Ended(how)).effect(Effect::DisarmAll)
    }
}

/// The caller gives up before the answer: CANCEL, at once or held (§9.1); nothing leaves if nothing had left.
pub(super) fn cancel(
    at: Moment<'_>,
    sent: bool,
    provisional: bool,
    agent: Agent,
    reasons: Vec<Reason>,
) -> Decision {
    if !sent {
        let ending = Ending { act: Act::LocalRefusal, agent, reasons, held: false, cause: None };
        return Decision::default().event(Event::Ending(ending)).end(ended(
            Act::LocalRefusal,
            Side::Caller,
            agent,
            None,
        ));
    }
    let ending =
        Ending { act: Act::Cancel, agent, reasons: reasons.clone(), held: !provisional, cause: None };
    // The final response has 64·T1 (§9.1), counted from the wish: a held CANCEL must not double the wait.
    let until = at.now + at.profile.policy.sip.patience();
    let decision = Decision::default()
        .event(Event::Ending(ending))
        .effect(Effect::DisarmAll)
        .effect(Effect::Arm { timer: TimerId::CancelGiveUp, at: until });
    if provisional { decision.effect(Effect::SendCancel { reasons }) } else { decision }
}

/// One side ends the conversation: BYE, at once or after the ACK (§15).
pub(super) fn bye(at: Moment<'_>, act: Act, agent: Agent, reasons: Vec<Reason>, held: bool) -> Decision {
    let ending = Ending { act, agent, reasons: reasons.clone(), held, cause: None };
    let decision = Decision::default().event(Event::Ending(ending)).effect(Effect::DisarmAll);
    if held { decision } else { send_bye(decision, at, reasons) }
}

/// The BYE leaves; its answer has 64·T1 (timer F), or less by policy.
pub(super) fn send_bye(decision: Decision, at: Moment<'_>, reasons: Vec<Reason>) -> Decision {
    decision.effect(Effect::SendBye { reasons }).arm_after(
        TimerId::EndGrace,
        at.now,
        at.profile.policy.end_grace_ms,
    )
}

/// The callee says no with a final response.
pub(super) fn reject(agent: Agent, status: u16, reasons: Vec<Reason>, contact: Option<String>) -> Decision {
    let ending =
        Ending { act: Act::FinalResponse, agent, reasons: reasons.clone(), held: false, cause: None };
    Decision::default()
        .event(Event::Ending(ending))
        .end(ended(Act::FinalResponse, Side::Callee, agent, Some(status)))
        .effect(Effect::Respond { status, sdp: false, reasons, contact, retry_after: None })
}

/// A wish to end a conversation, in our words.
pub(super) fn hang_up(at: Moment<'_>, hangup: &Hangup, held: bool) -> Decision {
    bye(at, Act::Bye, hangup.origin, reasons::bye(hangup), held).stating(hangup.cause).accepted()
}

/// The other side ended the conversation.
pub(super) fn remote_bye(at: Moment<'_>) -> Decision {
    Decision::default()
        .end(ended(Act::Bye, at.profile.role.peer().side(), Agent::Unknown, None))
        .effect(Effect::AnswerBye { status: 200 })
}

/// Our INVITE was finally refused.
pub(super) fn remote_refusal(response: &Response) -> Decision {
    Decision::default().end(ended(
        Act::FinalResponse,
        refusing_side(response.status),
        Agent::Unknown,
        Some(response.status),
    ))
}

/// What our own act, already under way, came to.
pub(super) fn own_end(
    at: Moment<'_>,
    intent: &EndIntent,
    status: Option<u16>,
    note: Option<String>,
) -> Decision {
    let mut how = ended(intent.act(), at.profile.role.side(), intent.agent(), status);
    how.notes.extend(note);
    how.cause = intent.ending.cause;
    Decision::default().end(how)
}

/// The engine came back: the end lies between the last event and now.
pub(super) fn engine_lost(last_event_at: Timestamp, now: Timestamp) -> Decision {
    let mut how = ended(Act::Discarded, Side::Nobody, Agent::Engine, None);
    how.between = Some((last_event_at, now));
    Decision::default().end(how)
}

/// A first guess from the status alone; the rulebook knows more.
fn refusing_side(status: u16) -> Side {
    match status {
        401 | 403 | 407 | 408 | 413 | 414 | 416 | 482 | 483 | 484 | 485 | 500..=599 => Side::Network,
        _ => Side::Callee,
    }
}

/// Which end hung up, for the other's record.
pub(super) fn is_caller(at: Moment<'_>) -> bool {
    at.profile.role == Role::Caller
}
