//! Everything SIP of one Call-ID: transactions, dialogs, CANCEL, repeated 2xx, forks; without IO.
//!
//! One invariant carries this module: **what a leg tells the machine happened exactly once.** Repeated messages end
//! here, are answered again from memory, and are counted.
//!
//! 1. A message comes in: [`Leg::receive`]. What is new becomes a [`Signal`]; acknowledgements of failures, answers to
//!    requests that are no matter of the call, and repetitions leave at once.
//! 2. The machine decides; its events are made durable; then the shell calls [`Leg::perform`] with each effect.
//! 3. Time passes: [`Leg::next_timeout`], [`Leg::handle_timeout`].
//! 4. After the call's final act the transactions drain; then the leg says `Drained`, once, and may be dropped. Any of
//!    the calls above may be the one that says it.
//!
//! All of it collects in an [`Outbox`].

mod answers;
mod build;
mod config;
mod drain;
mod error;
mod incoming;
mod outbox;
mod perform;
mod perform_uac;
mod receive;
mod requests;
mod responses;
mod restore;
mod timeouts;
mod tx;

use std::sync::Arc;

use callbox_events::call::{Effect, Invite, Signal};
use callbox_events::schema::Commit;
use callbox_events::sip::{Counters, Dialog, Peer};
use callbox_events::{Role, Timestamp};
use smallvec::SmallVec;

pub(crate) use build::reply_peer;
pub use config::{ALLOW, LegConfig};
pub use error::BuildError;
pub use outbox::{Outbox, Transmit, TransmitKind};

use crate::ids::Ids;
use crate::stateless::Refusal;
use crate::wire::Message;
use tx::{Answer, Client, Fork, Server};

/// One side's SIP of one call.
#[derive(Debug, Clone)]
pub struct Leg {
    config: LegConfig,
    role: Role,
    /// The call's dialog; a caller's half of one until an answer is taken.
    dialog: Arc<Dialog>,
    /// The newest CSeq of either side. The dialog has those it began with, so that all who share it can go on doing so.
    cseqs: CSeqs,
    /// Caller: an answer was taken. Callee: always.
    confirmed: bool,
    clients: SmallVec<[Box<Client>; 2]>,
    servers: SmallVec<[Box<Server>; 2]>,
    /// 2xx of ours that wait for their ACK.
    answers: SmallVec<[Box<Answer>; 1]>,
    /// 2xx of the other side, until they can't come again.
    forks: SmallVec<[Box<Fork>; 1]>,
    /// To tags that spoke, each with a fingerprint of its last provisional response.
    early: SmallVec<[Box<(String, u64)>; 1]>,
    /// Caller: any provisional response came, so that CANCEL may be sent.
    provisional: bool,
    /// Caller: the CANCEL that waits for one.
    held_cancel: Option<Box<Held>>,
    /// CSeq of the other side's BYE, once it came.
    bye_cseq: Option<u32>,
    /// Callee: the ACK of the initial 2xx came.
    acked: bool,
    remote_sdp: Option<Box<str>>,
    counters: Counters,
    ended: Option<Ended>,
    drained: bool,
}

/// The newest CSeq of either side of a dialog; 0 if it has sent no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CSeqs {
    /// Of our requests.
    pub local: u32,
    /// Of the other side's.
    pub remote: u32,
}

impl CSeqs {
    fn of(role: Role, dialog: &Dialog) -> Self {
        let local = match role {
            Role::Caller => dialog.local_cseq.max(dialog.invite_cseq),
            Role::Callee => dialog.local_cseq,
        };
        Self { local, remote: dialog.remote_cseq }
    }

    /// The next CSeq of ours.
    fn next(&mut self) -> u32 {
        self.local = self.local.saturating_add(1);
        self.local
    }
}

/// A CANCEL that must wait (RFC 3261 §9.1).
#[derive(Debug, Clone)]
struct Held {
    reasons: Vec<callbox_events::sip::Reason>,
}

/// The final act is done.
#[derive(Debug, Clone, Copy)]
struct Ended {
    at: Timestamp,
    /// Late 2xx may come until then.
    linger: Timestamp,
}

impl Leg {
    /// A leg that will send an INVITE once it is told to ([`Effect::SendInvite`]).
    #[must_use]
    pub fn outgoing(dialog: Arc<Dialog>, config: LegConfig) -> Self {
        Self::new(Role::Caller, dialog, config)
    }

    fn new(role: Role, dialog: Arc<Dialog>, config: LegConfig) -> Self {
        Self {
            config,
            role,
            cseqs: CSeqs::of(role, &dialog),
            dialog,
            confirmed: role == Role::Callee,
            clients: SmallVec::new(),
            servers: SmallVec::new(),
            answers: SmallVec::new(),
            forks: SmallVec::new(),
            early: SmallVec::new(),
            provisional: false,
            held_cancel: None,
            bye_cseq: None,
            acked: false,
            remote_sdp: None,
            counters: Counters::default(),
            ended: None,
            drained: false,
        }
    }

    /// The leg of an INVITE that begins a call, and what the machine must know of it (its `policy` is the default one:
    /// fill in the call's). 100 Trying leaves after 200 ms unless [`Effect::Respond`] was performed before.
    ///
    /// # Errors
    /// What to answer if the INVITE can't begin a call: see [`crate::stateless::refuse`].
    pub fn incoming(
        invite: &Message,
        source: Peer,
        local_tag: String,
        config: LegConfig,
        now: Timestamp,
    ) -> Result<(Self, Invite), Refusal> {
        incoming::begin(invite, source, local_tag, config, now)
    }

    /// The leg of a call that was under way when the engine stopped, from its commits in order.
    ///
    /// BYE, re-INVITE, CANCEL (the branch is known) and repeated INVITEs and BYEs work; CSeq numbers leave a gap so
    /// that none is used twice. `None` if the commits do not begin with an INVITE of either side.
    #[must_use]
    pub fn restore(commits: &[Commit], config: LegConfig, now: Timestamp) -> Option<Self> {
        restore::restore(commits, config, now)
    }

    /// Takes a message. Repeated ones are absorbed and answered again; everything else becomes signals.
    pub fn receive(
        &mut self,
        now: Timestamp,
        message: impl Into<Box<Message>>,
        source: Peer,
        out: &mut Outbox,
    ) {
        let message = message.into();
        if self.drained {
            self.receive_too_late(&message, source, out);
        } else if message.is_request() {
            self.receive_request(now, message, source, out);
        } else {
            self.receive_response(now, &message, out);
        }
        self.check_drained(now, out);
    }

    /// Performs an effect of the machine. `sdp` is the body to send with it: the offer of SendInvite and
    /// SendReinvite, the answer of Respond (if its `sdp` says so) and AnswerReinvite (200). Arm, Disarm and Reach are
    /// the shell's and do nothing here.
    ///
    /// # Errors
    /// [`BuildError`] if there is nothing to answer or no dialog to act in, or if a text can't be put on the wire.
    pub fn perform(
        &mut self,
        now: Timestamp,
        effect: &Effect,
        sdp: Option<&str>,
        ids: &mut dyn Ids,
        out: &mut Outbox,
    ) -> Result<(), BuildError> {
        let done = self.act(now, effect, sdp, ids, out);
        self.check_drained(now, out);
        done
    }

    /// Does what is due at `now`. May be called too early or too late.
    pub fn handle_timeout(&mut self, now: Timestamp, ids: &mut dyn Ids, out: &mut Outbox) {
        let _ = ids; // Nothing that a timer sends is new.
        self.run_timers(now, out);
        self.check_drained(now, out);
    }

    /// The transport could not deliver to `peer`, or the connection to it broke.
    pub fn transport_failed(&mut self, now: Timestamp, peer: Peer, detail: &str, out: &mut Outbox) {
        self.break_transport(now, peer, detail, out);
        self.check_drained(now, out);
    }

    /// The machine has reached its end: no effect will follow but answers to latecomers. Signals `Drained` now or when
    /// the last transaction is over. The leg knows most ends by itself; this one covers those without a packet (a
    /// refusal before the INVITE left, a crash, a timer of the machine). May be called again.
    pub fn finish(&mut self, now: Timestamp, out: &mut Outbox) {
        self.end(now, false);
        self.check_drained(now, out);
    }

    /// The last offer or answer of the other side, for the media adapter.
    #[must_use]
    pub fn remote_sdp(&self) -> Option<&str> {
        self.remote_sdp.as_deref()
    }

    /// What was absorbed so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The dialog as it began or was last refreshed; of its CSeqs [`Leg::cseqs`] has the newest.
    #[must_use]
    pub fn dialog(&self) -> &Dialog {
        &self.dialog
    }

    /// The dialog with the newest CSeqs, for the record.
    fn dialog_now(&self) -> Arc<Dialog> {
        let CSeqs { local, remote } = self.cseqs;
        Arc::new(Dialog { local_cseq: local, remote_cseq: remote, ..Dialog::clone(&self.dialog) })
    }

    /// The newest CSeq of either side.
    #[must_use]
    pub fn cseqs(&self) -> CSeqs {
        self.cseqs
    }
}
