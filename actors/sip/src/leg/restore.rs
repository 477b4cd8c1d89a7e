//! A leg from its journal: after a crash, what can still happen on the wire must find somebody.

use std::sync::Arc;

use callbox_events::call::{Act, Command, Event, Input as Cause, Phase, Signal};
use callbox_events::schema::{Commit, WireDirection, WireMessage};
use callbox_events::sip::{Dialog, Peer};
use callbox_events::{Role, Timestamp};

use super::outbox::Outbox;
use super::tx::{Client, Fork, Purpose, Server};
use super::{Leg, LegConfig, build};
use crate::dialog::refresh;
use crate::transaction::{Input, Kind, Machine, State, Timer};
use crate::wire::{Limits, Message, Method, parse};

/// How many requests of ours may have left in one life without a trace in the journal: none should, but a CSeq that is
/// used twice would be refused by the other side, and a gap costs nothing (RFC 3261 §12.2.1.1).
const CSEQ_GAP: u32 = 1_000;

/// What the commits say, in the end.
struct Told {
    role: Role,
    dialog: Dialog,
    phase: Phase,
    sent: Option<(Timestamp, Peer)>,
    provisional: bool,
    answered: Option<Timestamp>,
    acked: bool,
    bye_cseq: Option<u32>,
    /// Our last final response to the INVITE was decided.
    refused: bool,
    lives: u32,
}

pub(super) fn restore(commits: &[Commit], config: LegConfig, now: Timestamp) -> Option<Leg> {
    let told = Told::of(commits)?;
    let (role, phase) = (told.role, told.phase);
    let mut leg = Leg::new(role, Arc::new(told.dialog.clone()), config);
    leg.provisional = told.provisional;
    leg.acked = told.acked;
    leg.bye_cseq = told.bye_cseq;
    leg.confirmed = role == Role::Callee || told.answered.is_some();
    let gap = CSEQ_GAP.saturating_mul(told.lives);
    leg.cseqs.local = leg.cseqs.local.max(leg.dialog.invite_cseq).saturating_add(gap);
    if let Some(message) = wire_messages(commits).rev().filter(|wire| is_in(wire)).find_map(with_sdp) {
        leg.note_sdp(&message);
    }
    match role {
        Role::Callee => leg.restore_callee(commits, &told, now),
        Role::Caller => leg.restore_caller(commits, &told, now),
    }
    if phase == Phase::Ended {
        leg.end(now, true);
    }
    Some(leg)
}

impl Told {
    fn of(commits: &[Commit]) -> Option<Self> {
        let (role, dialog) = match &commits.first()?.input {
            Cause::Command(Command::Place(place)) => (Role::Caller, Dialog::clone(&place.dialog)),
            Cause::Signal(Signal::Invite(invite)) => (Role::Callee, Dialog::clone(&invite.dialog)),
            Cause::Command(_)
            | Cause::Signal(_)
            | Cause::Timer(_)
            | Cause::Recovery(_)
            | Cause::Observed(_) => return None,
        };
        let mut told = Self {
            role,
            dialog,
            phase: Phase::Idle,
            sent: None,
            provisional: false,
            answered: None,
            acked: false,
            bye_cseq: None,
            refused: false,
            lives: 1,
        };
        for commit in commits {
            told.input(&commit.input);
            for happened in &commit.events {
                told.event(&happened.event, commit.at);
                told.phase = happened.phase;
            }
            for wire in commit.wire.iter().filter(|wire| !is_in(wire)) {
                told.sent_message(wire);
            }
        }
        Some(told)
    }

    fn input(&mut self, input: &Cause) {
        match input {
            Cause::Signal(Signal::Provisional(_)) => self.provisional = true,
            Cause::Signal(Signal::Ack(_)) => self.acked = true,
            Cause::Signal(Signal::Bye(request)) => {
                self.bye_cseq = Some(request.cseq);
                self.dialog.remote_cseq = self.dialog.remote_cseq.max(request.cseq);
            }
            Cause::Signal(Signal::Reinvite(request) | Signal::Request(request)) => {
                self.dialog.remote_cseq = self.dialog.remote_cseq.max(request.cseq);
            }
            Cause::Recovery(_) => self.lives = self.lives.saturating_add(1),
            Cause::Command(_) | Cause::Timer(_) | Cause::Signal(_) | Cause::Observed(_) => {}
        }
    }

    fn event(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Sent { peer } => {
                self.dialog.peer = *peer;
                self.sent = Some((at, *peer));
            }
            Event::Answered(facts) => {
                self.answered = Some(at);
                let remote_cseq = self.dialog.remote_cseq.max(facts.dialog.remote_cseq);
                self.dialog = Dialog { remote_cseq, ..Dialog::clone(&facts.dialog) };
            }
            Event::Media(media) => {
                if let Some(target) = &media.new_target {
                    refresh(&mut self.dialog, target);
                }
            }
            Event::Ended(ended) => self.refused = ended.act == Act::FinalResponse,
            Event::Placed(_)
            | Event::Offered(_)
            | Event::Progressed(_)
            | Event::Rang(_)
            | Event::EarlyMedia(_)
            | Event::Connected
            | Event::MediaRequested { .. }
            | Event::MediaRefused { .. }
            | Event::Ending(_)
            | Event::EndingSent
            | Event::Recovered(_)
            | Event::Released(_)
            | Event::Noted(_)
            | Event::Observed(_)
            | Event::FoundConnected
            | Event::CancelSeen
            | Event::EndSeen(_) => {}
        }
    }

    /// A request of ours that the journal holds tells its CSeq exactly.
    fn sent_message(&mut self, wire: &WireMessage) {
        if let Some(message) = read(wire)
            && message.is_request()
        {
            self.dialog.local_cseq = self.dialog.local_cseq.max(message.cseq().0);
        }
    }
}

impl Leg {
    /// The INVITE's transaction, as long as its final response may have to be given (again).
    fn restore_callee(&mut self, commits: &[Commit], told: &Told, now: Timestamp) {
        let answering = match told.phase {
            Phase::Incoming | Phase::Early | Phase::Connecting => true,
            Phase::Ending => told.answered.is_none(),
            Phase::Ended => told.refused || told.answered.is_none(),
            Phase::Idle | Phase::Calling | Phase::Connected => false,
        };
        self.acked |= told.phase == Phase::Connected;
        let invite = wire_messages(commits).find(|wire| is_in(wire));
        let Some((message, peer)) = invite.and_then(|wire| Some((read(wire)?, wire.peer))) else { return };
        if !answering || *message.method() != Method::Invite || !message.is_request() {
            return;
        }
        let mut server = Server::new(Box::new(message), Purpose::Invite, Kind::InviteServer, peer);
        server.response = last_provisional(commits);
        let timers = self.config.timers;
        if server.response.is_empty() {
            server.step(Input::Start, now, timers, &mut self.counters, &mut Outbox::new());
        }
        self.servers.push(Box::new(server));
    }

    fn restore_caller(&mut self, commits: &[Commit], told: &Told, now: Timestamp) {
        let Some((sent_at, peer)) = told.sent else { return };
        let Some(branch) = self.dialog.invite_branch.clone() else { return };
        if told.answered.is_some() {
            return self.restore_ack(&branch);
        }
        if told.phase == Phase::Ended && told.refused {
            return;
        }
        let state = if told.provisional { State::Proceeding } else { State::Calling };
        let mut machine = Machine::resumed(Kind::InviteClient, peer.transport.is_reliable(), state);
        let mut request = bytes::Bytes::new();
        if state == State::Calling {
            // The deadline did not stop with the engine, but at least one more round trip must be possible.
            let give_up = sent_at + self.config.timers.patience();
            machine.arm_at(Timer::B, give_up.max(now + self.config.timers.t1()));
            request = sent_invite(commits);
        }
        if !request.is_empty() && !peer.transport.is_reliable() {
            machine.arm_at(Timer::A, now);
        }
        self.clients.push(Box::new(Client {
            machine,
            purpose: Purpose::Invite,
            method: Method::Invite,
            branch: branch.into(),
            cseq: self.dialog.invite_cseq,
            peer,
            request,
            ack: bytes::Bytes::new(),
        }));
    }

    /// The 2xx may come again if our ACK was lost with the engine: the ACK is built anew.
    fn restore_ack(&mut self, invite_branch: &str) {
        let branch = format!("{invite_branch}-r{}", self.cseqs.local);
        let (cseq, peer) = (self.dialog.invite_cseq, self.dialog.peer);
        let parts =
            build::Parts { method: &Method::Ack, cseq, branch: &branch, peer, reasons: &[], sdp: None };
        let Ok(ack) = build::request(&self.dialog, &self.config, parts) else { return };
        let tag = self.dialog.remote_tag.as_deref().unwrap_or_default().into();
        self.forks.push(Box::new(Fork { tag, cseq, dialog: None, ack, peer }));
    }
}

fn wire_messages(commits: &[Commit]) -> impl DoubleEndedIterator<Item = &WireMessage> {
    commits.iter().flat_map(|commit| &commit.wire)
}

fn is_in(wire: &WireMessage) -> bool {
    match wire.direction {
        WireDirection::In => true,
        WireDirection::Out => false,
    }
}

fn read(wire: &WireMessage) -> Option<Message> {
    parse(wire.bytes.clone().into(), &Limits::default()).ok()
}

fn with_sdp(wire: &WireMessage) -> Option<Message> {
    read(wire).filter(|message| crate::digest::sdp_text(message).is_some())
}

/// The last 18x that the journal holds: repeated INVITEs get it again.
fn last_provisional(commits: &[Commit]) -> bytes::Bytes {
    let sent = wire_messages(commits).filter(|wire| !is_in(wire));
    let provisional = |wire: &&WireMessage| {
        read(wire).is_some_and(|message| {
            message.status().is_some_and(|status| status < 200) && *message.method() == Method::Invite
        })
    };
    sent.rev().find(provisional).map(|wire| wire.bytes.clone().into()).unwrap_or_default()
}

/// Our INVITE, if the journal holds it.
fn sent_invite(commits: &[Commit]) -> bytes::Bytes {
    let sent = wire_messages(commits).filter(|wire| !is_in(wire));
    let invite = |wire: &&WireMessage| {
        read(wire).is_some_and(|message| message.is_request() && *message.method() == Method::Invite)
    };
    sent.into_iter().find(invite).map(|wire| wire.bytes.clone().into()).unwrap_or_default()
}
