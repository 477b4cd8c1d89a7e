//! Everything SIP of one Call-ID: transactions, dialogs, CANCEL, repeated 2xx, forks; without IO.

mod config;
mod error;
mod outbox;

use callbox_events::Timestamp;
use callbox_events::call::{Effect, Invite};
use callbox_events::schema::Commit;
use callbox_events::sip::{Counters, Dialog, Peer};

pub use config::{ALLOW, LegConfig};
pub use error::BuildError;
pub use outbox::{Outbox, Transmit, TransmitKind};

use crate::ids::Ids;
use crate::stateless::Refusal;
use crate::wire::Message;

/// One side's SIP of one call.
#[derive(Debug, Clone)]
pub struct Leg {
    dialog: Dialog,
    config: LegConfig,
    counters: Counters,
}

impl Leg {
    /// A leg that will send an INVITE once it is told to ([`Effect::SendInvite`]).
    #[must_use]
    pub fn outgoing(dialog: Dialog, config: LegConfig) -> Self {
        Self { dialog, config, counters: Counters::default() }
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
        let _ = (invite, source, local_tag, config, now);
        Err(Refusal::new(500))
    }

    /// The leg of a call that was under way when the engine stopped, from its commits in order.
    ///
    /// BYE, re-INVITE, CANCEL (the branch is known) and repeated INVITEs and BYEs work; CSeq numbers leave a gap so
    /// that none is used twice. `None` if the commits do not begin with an INVITE of either side.
    #[must_use]
    pub fn restore(commits: &[Commit], config: LegConfig, now: Timestamp) -> Option<Self> {
        let _ = (commits, config, now);
        None
    }

    /// Whether this message belongs to this leg rather than to another one with the same Call-ID (an engine that
    /// calls itself, two forks of one call).
    #[must_use]
    pub fn claims(&self, message: &Message) -> bool {
        let _ = message;
        true
    }

    /// Takes a message. Repeated ones are absorbed and answered again; everything else becomes signals.
    pub fn receive(&mut self, now: Timestamp, message: Message, source: Peer, out: &mut Outbox) {
        let _ = (now, message, source, out);
    }

    /// Performs an effect of the machine. `sdp` is the body to send with it: the offer of SendInvite and
    /// SendReinvite, the answer of Respond (if its `sdp` says so) and AnswerReinvite. Arm, Disarm and Reach are the
    /// shell's and do nothing here.
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
        let _ = (now, effect, sdp, ids, out, &self.config);
        Ok(())
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Timestamp, ids: &mut dyn Ids, out: &mut Outbox) {
        let _ = (now, ids, out);
    }

    /// When [`Leg::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        None
    }

    /// The transport could not deliver to `peer`, or the connection to it broke.
    pub fn transport_failed(&mut self, now: Timestamp, peer: Peer, detail: &str, out: &mut Outbox) {
        let _ = (now, peer, detail, out);
    }

    /// The machine has reached its end: no effect will follow. Signals `Drained` now or when the last transaction is
    /// over. The leg knows most ends by itself; this one covers those without a packet (a refusal before the
    /// INVITE left, a crash, a timer of the machine). May be called again.
    pub fn finish(&mut self, now: Timestamp, out: &mut Outbox) {
        let _ = (now, out);
    }

    /// The last offer or answer of the other side, for the media adapter.
    #[must_use]
    pub fn remote_sdp(&self) -> Option<&str> {
        None
    }

    /// Whether nothing is left to do; the leg may be dropped.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        false
    }

    /// What was absorbed so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The dialog as this leg knows it now.
    #[must_use]
    pub fn dialog(&self) -> &Dialog {
        &self.dialog
    }
}
