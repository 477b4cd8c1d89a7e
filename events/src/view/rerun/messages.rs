//! The messages of a commit, compared with the effects that the machine decides again.
//!
//! What the machine wants sent must be on record as sent, and what is on record as sent must have been wanted, or be of
//! the kind that a leg sends by itself: the ACK of a failure, PRACK, a CANCEL that had to wait, the answer to a request
//! of which the machine is only told. Bytes are not compared: identifiers are drawn by the engine.

use std::fmt;

use super::Difference;
use crate::call::{Act, Call, Effect, Input, Pending, Signal, State};
use crate::schema::{Commit, StoredCommit, WireDirection};
use crate::view::Message;

/// A message as far as an effect determines it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    /// The status of a response; none for a request.
    status: Option<u16>,
    /// Its method, or that of the request it answers; none if a re-INVITE and an UPDATE are alike.
    method: Option<&'static str>,
    /// What fails if it could not be built: then it never left, and the failure is an input of its own.
    pending: Option<Pending>,
}

impl Wanted {
    fn request(method: &'static str, pending: Pending) -> Self {
        Self { status: None, method: Some(method), pending: Some(pending) }
    }

    fn response(status: u16, method: Option<&'static str>) -> Self {
        Self { status: Some(status), method, pending: None }
    }

    fn is(&self, message: &Message) -> bool {
        self.status == message.status() && self.method.is_none_or(|method| method_of(message) == Some(method))
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, self.method) {
            (Some(status), Some(method)) => write!(f, "{status} ({method})"),
            (Some(status), None) => write!(f, "{status}"),
            (None, method) => f.write_str(method.unwrap_or("a request")),
        }
    }
}

/// What is known of a call's messages beyond one commit.
pub(super) struct Messages {
    /// Whether the record holds messages at all; one without is compared by its events alone.
    recorded: bool,
    /// Whether the engine came back: its transactions may be gone, and with them the way for an answer.
    restored: bool,
    /// Whether a CANCEL was decided: the leg sends it when it may.
    cancels: bool,
    /// What never left because it could not be built or sent.
    failed: Vec<Pending>,
    /// How many were compared.
    pub(super) agreed: u64,
}

impl Messages {
    pub(super) fn of(commits: &[StoredCommit]) -> Self {
        let mut failed = Vec::new();
        let mut recorded = false;
        for stored in commits {
            recorded |= stored.commit.wire.iter().any(|message| message.direction == WireDirection::Out);
            if let Input::Signal(Signal::TransportFailed { pending, .. }) = &stored.commit.input {
                failed.push(*pending);
            }
        }
        Self { recorded, restored: false, cancels: false, failed, agreed: 0 }
    }

    /// Compares what `commit` sent with `effects`, decided again in the state `before` it.
    pub(super) fn compare(
        &mut self,
        before: &Call,
        commit: &Commit,
        effects: &[Effect],
    ) -> Result<(), Difference> {
        self.restored |= matches!(commit.input, Input::Recovery(_));
        self.cancels |=
            is_cancelling(before) || effects.iter().any(|effect| matches!(effect, Effect::SendCancel { .. }));
        if !self.recorded {
            return Ok(());
        }
        let mut sent: Vec<Message> = commit
            .wire
            .iter()
            .filter(|message| message.direction == WireDirection::Out)
            .map(Message::of)
            .collect();
        for wanted in effects.iter().flat_map(wanted) {
            match sent.iter().position(|message| wanted.is(message)) {
                Some(place) => {
                    sent.remove(place);
                    self.agreed += 1;
                }
                None if self.may_be_absent(&wanted) => {}
                None => {
                    return Err(Difference::Message { recorded: None, decided: Some(wanted.to_string()) });
                }
            }
        }
        match sent.iter().find(|message| !self.is_the_legs_own(message, &commit.input)) {
            None => Ok(()),
            Some(message) => Err(Difference::Message { recorded: Some(message.label()), decided: None }),
        }
    }

    fn may_be_absent(&self, wanted: &Wanted) -> bool {
        self.restored || wanted.pending.is_some_and(|pending| self.failed.contains(&pending))
    }

    /// Whether a leg sends this without the machine.
    fn is_the_legs_own(&self, message: &Message, input: &Input) -> bool {
        match (message.status(), method_of(message)) {
            (None, Some("ACK" | "PRACK")) => true,
            (None, Some("CANCEL")) => self.cancels,
            (None, _) => false,
            (Some(100), _) => true,
            (Some(_), _) => matches!(input, Input::Signal(Signal::Request(_))) || self.restored,
        }
    }
}

fn is_cancelling(call: &Call) -> bool {
    match &call.state {
        State::Ending(intent) => intent.act() == Act::Cancel,
        State::Idle
        | State::Calling { .. }
        | State::Incoming
        | State::Early { .. }
        | State::Connecting
        | State::Connected { .. }
        | State::Ended { .. }
        | State::Observed(_) => false,
    }
}

/// The method of a request, or of the request that a response answers.
fn method_of(message: &Message) -> Option<&str> {
    match message.status() {
        Some(_) => message.method.as_deref(),
        None => message.start_line.split(' ').next(),
    }
}

/// What `effect` sends.
fn wanted(effect: &Effect) -> Vec<Wanted> {
    match effect {
        Effect::SendInvite { .. } => vec![Wanted::request("INVITE", Pending::Invite)],
        Effect::SendReinvite { .. } => vec![Wanted::request("INVITE", Pending::Reinvite)],
        Effect::SendBye { .. } => vec![Wanted::request("BYE", Pending::Bye)],
        Effect::SendAck => vec![Wanted::request("ACK", Pending::Other)],
        Effect::SendCancel { .. } => vec![Wanted::request("CANCEL", Pending::Cancel)],
        Effect::DismissAnswer { .. } => {
            vec![Wanted::request("ACK", Pending::Other), Wanted::request("BYE", Pending::Other)]
        }
        Effect::Respond { status, .. } => vec![Wanted::response(*status, Some("INVITE"))],
        Effect::AnswerCancel { status } => vec![Wanted::response(*status, Some("CANCEL"))],
        Effect::AnswerBye { status } => vec![Wanted::response(*status, Some("BYE"))],
        Effect::AnswerReinvite { status, .. } => vec![Wanted::response(*status, None)],
        Effect::Reach | Effect::Arm { .. } | Effect::Disarm { .. } | Effect::DisarmAll => Vec::new(),
    }
}
