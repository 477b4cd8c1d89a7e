//! The transactions of a leg: a machine with its messages.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use callbox_events::Timestamp;
use callbox_events::call::{Pending, SipTimers};
use callbox_events::sip::{Counters, Dialog, Peer};

use super::outbox::{Outbox, TransmitKind};
use crate::transaction::{Action, Input, Key, Kind, Machine, State};
use crate::wire::{Message, Method};

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The INVITE that began the call.
    Invite,
    /// A re-INVITE, or an UPDATE with an offer.
    Reinvite,
    /// CANCEL of the initial INVITE.
    Cancel,
    /// BYE of the call's dialog.
    Bye,
    /// BYE of a fork that nobody wants: its answer is nobody's business.
    Dismissal,
    /// Any other request.
    Other,
}

impl Purpose {
    /// How the machine calls it when it fails; `None`: it need not know.
    pub(super) fn pending(self) -> Option<Pending> {
        match self {
            Self::Invite => Some(Pending::Invite),
            Self::Reinvite => Some(Pending::Reinvite),
            Self::Cancel => Some(Pending::Cancel),
            Self::Bye => Some(Pending::Bye),
            Self::Dismissal | Self::Other => None,
        }
    }
}

/// A request of ours.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub machine: Machine,
    pub purpose: Purpose,
    pub method: Method,
    pub branch: Box<str>,
    pub cseq: u32,
    pub peer: Peer,
    /// Kept as long as it may have to be sent again.
    pub request: Bytes,
    /// The ACK of a 300-699 to INVITE.
    pub ack: Bytes,
}

/// A request of the other side.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub machine: Machine,
    pub purpose: Purpose,
    pub key: Key,
    pub cseq: u32,
    /// Where the request came from.
    pub source: Peer,
    /// Where responses go (RFC 3261 §18.2.2).
    pub peer: Peer,
    /// Kept until the final response was built from it.
    pub request: Option<Box<Message>>,
    /// The last response, as long as it may have to be sent again.
    pub response: Bytes,
}

/// A 2xx of ours without ACK: repeated on every transport (RFC 3261 §13.3.1.4).
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub cseq: u32,
    pub peer: Peer,
    pub response: Bytes,
    pub next: Timestamp,
    pub interval: Duration,
    pub give_up: Timestamp,
}

/// A 2xx to an INVITE of ours.
#[derive(Debug, Clone)]
pub(super) struct Fork {
    pub tag: Box<str>,
    pub cseq: u32,
    /// Its dialog, until the machine has decided whether it wants it.
    pub dialog: Option<Arc<Dialog>>,
    /// The ACK, once sent: repeated whenever the 2xx comes again (RFC 3261 §13.2.2.4).
    pub ack: Bytes,
    pub peer: Peer,
}

/// What a step of a transaction leaves to the leg.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Left {
    pub report: bool,
    pub timed_out: bool,
    pub failed: bool,
    pub ack: bool,
    pub trying: bool,
}

impl Client {
    /// Steps the machine and does what needs no knowledge of the call.
    pub(super) fn step(
        &mut self,
        input: Input,
        now: Timestamp,
        timers: SipTimers,
        counters: &mut Counters,
        out: &mut Outbox,
    ) -> Left {
        let mut left = Left::default();
        for action in self.machine.step(input, now, timers) {
            match action {
                Action::Send => out.send(self.peer, self.request.clone(), TransmitKind::New),
                Action::SendAgain => {
                    again(self.peer, &self.request, TransmitKind::Retransmission, counters, out)
                }
                Action::SendAck => left.ack = true,
                other => left.take(*other, counters),
            }
        }
        match self.machine.state() {
            State::Calling | State::Trying => {}
            State::Proceeding if self.machine.kind() == Kind::Client => {}
            State::Proceeding | State::Completed | State::Confirmed | State::Accepted | State::Terminated => {
                self.request = Bytes::new();
            }
        }
        left
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.machine.state(), State::Calling | State::Trying | State::Proceeding)
    }
}

impl Server {
    /// A transaction for a request that just came.
    pub(super) fn new(request: Box<Message>, purpose: Purpose, kind: Kind, source: Peer) -> Self {
        let via = request.top_via();
        Self {
            machine: Machine::new(kind, source.transport.is_reliable()),
            purpose,
            key: Key::of(&request, &via),
            cseq: request.cseq().0,
            source,
            peer: super::build::reply_peer(&via, source),
            request: Some(request),
            response: Bytes::new(),
        }
    }

    /// Steps the machine and does what needs no knowledge of the call.
    pub(super) fn step(
        &mut self,
        input: Input,
        now: Timestamp,
        timers: SipTimers,
        counters: &mut Counters,
        out: &mut Outbox,
    ) -> Left {
        let mut left = Left::default();
        let kind = match input {
            Input::Timer(_) => TransmitKind::Retransmission,
            Input::Start
            | Input::Provisional
            | Input::Success
            | Input::Failure
            | Input::Cancel
            | Input::Again
            | Input::Ack
            | Input::SendProvisional
            | Input::SendSuccess
            | Input::SendFailure
            | Input::Broken => TransmitKind::AbsorbedReply,
        };
        for action in self.machine.step(input, now, timers) {
            match action {
                Action::Send => out.send(self.peer, self.response.clone(), TransmitKind::New),
                Action::SendAgain => again(self.peer, &self.response, kind, counters, out),
                other => left.take(*other, counters),
            }
        }
        if matches!(self.machine.state(), State::Confirmed | State::Accepted | State::Terminated) {
            self.response = Bytes::new();
        }
        if !self.is_open() {
            self.request = None;
        }
        left
    }

    /// Whether a final response is still to be given.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.machine.state(), State::Trying | State::Proceeding)
    }

    pub(super) fn is_invite(&self) -> bool {
        self.machine.kind() == Kind::InviteServer
    }
}

impl Left {
    fn take(&mut self, action: Action, counters: &mut Counters) {
        match action {
            Action::Report => self.report = true,
            Action::TimeOut => self.timed_out = true,
            Action::Fail => self.failed = true,
            Action::SendAck => self.ack = true,
            Action::SendTrying => self.trying = true,
            Action::Absorb => counters.received_again = counters.received_again.saturating_add(1),
            Action::Send | Action::SendAgain | Action::Arm(_) | Action::Disarm(_) => {}
        }
    }
}

/// Sends a message once more; after a restart there may be none.
pub(super) fn again(
    peer: Peer,
    bytes: &Bytes,
    kind: TransmitKind,
    counters: &mut Counters,
    out: &mut Outbox,
) {
    if !bytes.is_empty() {
        counters.sent_again = counters.sent_again.saturating_add(1);
        out.send(peer, bytes.clone(), kind);
    }
}
