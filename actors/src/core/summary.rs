//! A live call in one line, from its state alone.

use callbox_events::call::{Call, State};
use callbox_events::verdict::Direction;
use callbox_events::view::CallSummary;
use callbox_events::{CallId, Role};

use super::CallCore;

impl CallCore {
    /// The call in one line; none before its first event is durable.
    #[must_use]
    pub fn summary(&self) -> Option<CallSummary> {
        summary(self.id, &self.call)
    }
}

fn summary(id: CallId, call: &Call) -> Option<CallSummary> {
    let profile = call.profile.as_ref()?;
    let dialog = &profile.dialog;
    let (local, remote) = (bare(&dialog.local_uri), bare(&dialog.remote_uri));
    let (from, to) = match profile.role {
        Role::Caller => (local, remote),
        Role::Callee => (remote, local),
    };
    let (answered_at, ended_at) = match &call.state {
        State::Connected { since, .. } => (Some(*since), None),
        State::Ended { .. } => (None, Some(call.last_event_at)),
        State::Idle
        | State::Calling { .. }
        | State::Incoming
        | State::Early { .. }
        | State::Connecting
        | State::Ending(_)
        | State::Observed(_) => (None, None),
    };
    let live = ended_at.is_none();
    Some(CallSummary {
        call_id: id,
        sip_call_id: dialog.sip_call_id.clone(),
        direction: match profile.role {
            Role::Caller => Direction::Outgoing,
            Role::Callee => Direction::Incoming,
        },
        from: from.to_owned(),
        to: to.to_owned(),
        started_at: profile.started_at,
        answered_at,
        ended_at,
        duration_ms: None,
        phase: call.phase(),
        family: live.then(|| "unknown".to_owned()),
        cause: live.then(|| "alive".to_owned()),
        side: live.then(|| "unknown".to_owned()),
        agent: live.then(|| "unknown".to_owned()),
        events: call.version,
    })
}

/// The URI of a name-addr: what stands between the angle brackets.
fn bare(name_addr: &str) -> &str {
    match (name_addr.find('<'), name_addr.rfind('>')) {
        (Some(open), Some(close)) if open < close => name_addr.get(open + 1..close).unwrap_or(name_addr),
        _ => name_addr,
    }
}
