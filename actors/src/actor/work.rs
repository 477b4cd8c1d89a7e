//! What is handed to an arbiter from other threads.

use callbox_events::CallId;
use callbox_events::call::{Command, Outcome};
use callbox_events::sip::Peer;
use callbox_events::view::CallSummary;
use tokio::sync::oneshot;

use crate::call_handle::PlaceCall;
use crate::error::CommandError;
use crate::transport::Datagram;

/// One piece of work for a shard.
#[derive(Debug)]
pub(crate) enum Work {
    /// Messages whose Call-ID belongs there.
    Datagrams(Vec<Datagram>),
    /// Nothing can be delivered to `peer`.
    PeerFailed { peer: Peer, detail: String },
    /// Place a call.
    Place { place: Box<PlaceCall>, reply: oneshot::Sender<Result<CallId, CommandError>> },
    /// A command for a call, if it lives there.
    Command { call: CallId, command: Command, reply: oneshot::Sender<Result<Outcome, CommandError>> },
    /// All live calls in a line each.
    Summaries { reply: oneshot::Sender<Vec<CallSummary>> },
    /// Take no new calls; end or keep the live ones; reply when that is done.
    Close { reply: oneshot::Sender<()> },
}
