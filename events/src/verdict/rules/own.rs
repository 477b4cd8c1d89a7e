//! Our own commands and policies: the intent is known, so nothing else needs to be believed.

use super::super::draft::Draft;
use super::super::facts::Facts;
use super::super::families::{Cause, Family};
use super::super::tuple::{Evidence, Underlying};
use super::super::vocabulary::Confidence;
use super::super::{testimony, text};
use crate::call::{Act, Command, Hangup, IncomingPolicy, Input, RefusalKind, Signal};
use crate::party::{Agent, Role, Side};

/// 3d: refused by the engine before anybody was asked.
pub(super) fn policy_refusal(facts: &Facts<'_>) -> Option<Draft> {
    let decisive = facts.decisive?;
    let Input::Signal(Signal::Invite(invite)) = decisive.what.input else { return None };
    let IncomingPolicy::Refuse { status, why } = invite.policy.incoming else { return None };
    let (cause, agent, words) = match why {
        RefusalKind::Configured => (Cause::Declined, Agent::Application, "the application refuses all calls"),
        RefusalKind::Busy => (Cause::Busy, Agent::Engine, "the engine was told that its user is busy"),
        RefusalKind::DoNotDisturb => (Cause::DoNotDisturb, Agent::Engine, "do not disturb was set"),
        RefusalKind::MaxCalls => {
            (Cause::MaxCalls, Agent::Engine, "the limit of simultaneous calls was reached")
        }
        RefusalKind::Shutdown => (Cause::Shutdown, Agent::Engine, "the engine was shutting down"),
    };
    Some(
        Draft::certain(cause, Side::Callee, agent)
            .by(Act::FinalResponse)
            .because(decisive.event, format!("{words}: refused with {status} before anybody was asked")),
    )
}

/// 5h: an operator ended it, whatever that took.
pub(super) fn administrator(facts: &Facts<'_>) -> Option<Draft> {
    let (event, role, hangup) = own_hangup(facts)?;
    (hangup.origin == Agent::Administrator).then(|| {
        Draft::certain(Cause::AdminKill, role.side(), Agent::Administrator)
            .by_recorded(facts)
            .because(event, "an administrator ended the call")
    })
}

/// 5i and other ends that the engine's shell wants: the words of the hang-up name a cause of our own vocabulary, or
/// it is the shutdown.
pub(super) fn engine(facts: &Facts<'_>) -> Option<Draft> {
    let (event, role, hangup) = own_hangup(facts)?;
    if hangup.origin != Agent::Engine {
        return None;
    }
    let named = hangup.reason.as_deref().and_then(|words| words.parse::<Cause>().ok());
    let cause = named
        .filter(|cause| matches!(cause.family(), Family::LocalSystem | Family::MediaLost | Family::Limit))
        .unwrap_or(Cause::Shutdown);
    Some(
        Draft::certain(cause, role.side(), Agent::Engine)
            .by_recorded(facts)
            .because(event, format!("the engine itself ended the call: {cause}")),
    )
}

/// 3a, 3b, 3c at B: the callee's side said no, whatever status it chose.
pub(super) fn reject(facts: &Facts<'_>) -> Option<Draft> {
    let (event, role, hangup) = own_hangup(facts)?;
    if role != Role::Callee || facts.answered.is_some() {
        return None;
    }
    let status = text::status_words(facts.ended.and_then(|ended| ended.what.status));
    Some(
        Draft::certain(Cause::Declined, Side::Callee, hangup.origin)
            .by(Act::FinalResponse)
            .because(event, format!("the callee's {} rejected the call{status}", text::agent(hangup.origin))),
    )
}

/// 3f at B: the callee sent the caller elsewhere.
pub(super) fn divert(facts: &Facts<'_>) -> Option<Draft> {
    let decisive = facts.decisive?;
    let Input::Command(Command::Divert { .. }) = decisive.what.input else { return None };
    let agent = facts.ending().map_or(Agent::User, |ending| ending.what.agent);
    Some(
        Draft::certain(Cause::Redirected, Side::Callee, agent)
            .by(Act::FinalResponse)
            .because(decisive.event, "the callee diverted the call (302)"),
    )
}

/// Flow 2 at A: the caller stopped before the answer. A late answer or another final status does not change that.
pub(super) fn cancel(facts: &Facts<'_>) -> Option<Draft> {
    let (event, role, hangup) = own_hangup(facts)?;
    if role != Role::Caller || facts.answered.is_some() {
        return None;
    }
    let who = text::agent(hangup.origin);
    let mut draft = Draft::certain(Cause::Cancelled, Side::Caller, hangup.origin)
        .by_recorded(facts)
        .because(event, format!("the caller's {who} hung up before the answer"));
    if facts.sent.is_none() {
        draft = draft.because(event, "the INVITE had not left: nothing was sent");
    }
    // The caller may say why it gave up (3GPP TS 24.229 does so for its own no-answer timer).
    let said = hangup.reasons.iter().find_map(|reason| {
        let cause = testimony::claimed_cause(facts.rulebook, reason)?;
        (cause == Cause::NoAnswer).then(|| format!("its Reason was {}", testimony::quote(reason)))
    });
    if let Some(says) = said {
        draft = draft.hiding(Underlying {
            cause: Cause::NoAnswer,
            confidence: Confidence::Strong,
            evidence: vec![Evidence::new(event, says)],
        });
    }
    Some(draft)
}

/// 1c: both sides hung up before either knew of the other.
pub(super) fn bye_crossed(facts: &Facts<'_>) -> Option<Draft> {
    let (event, role, hangup) = own_hangup(facts)?;
    facts.answered?;
    // One that comes after the end changes no verdict that was already told; it is a race.
    let other = facts.byes.iter().find(|bye| bye.event > event && !facts.is_after_end(bye.event))?;
    Some(
        Draft::certain(Cause::Hangup, Side::Both, Agent::Unknown)
            .by(Act::Bye)
            .because(event, format!("the {}'s {} hung up", role.side(), text::agent(hangup.origin)))
            .because(other.event, format!("and the {}'s BYE was already under way", role.peer().side())),
    )
}

/// Flow 1: our side hung up.
pub(super) fn bye(facts: &Facts<'_>) -> Option<Draft> {
    let (event, role, hangup) = own_hangup(facts)?;
    facts.answered?;
    let mut draft = Draft::certain(Cause::Hangup, role.side(), hangup.origin)
        .by(Act::Bye)
        .because(event, format!("the {}'s {} hung up", role.side(), text::agent(hangup.origin)));
    if facts.connected.is_none() {
        draft = draft.because(event, "the answer had not been acknowledged yet");
    }
    Some(draft)
}

/// The hang-up command that was decisive.
pub(super) fn own_hangup<'a>(facts: &Facts<'a>) -> Option<(u64, Role, &'a Hangup)> {
    let decisive = facts.decisive?;
    match decisive.what.input {
        Input::Command(Command::Hangup(hangup)) => Some((decisive.event, facts.role?, hangup)),
        Input::Command(
            Command::Place(_)
            | Command::Ring
            | Command::Accept
            | Command::Hold
            | Command::Resume
            | Command::Divert { .. }
            | Command::Note(_),
        )
        | Input::Signal(_)
        | Input::Timer(_)
        | Input::Recovery(_)
        | Input::Observed(_) => None,
    }
}
