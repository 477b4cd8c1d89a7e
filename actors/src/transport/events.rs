//! How sockets tell the router of what happens, from whatever thread they are used on.

use std::fmt;
use std::net::SocketAddr;

use callbox_events::sip::{Peer, Transport};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Sink, TransportEvent};

/// Tells the router by way of its thread.
///
/// Not bounded in itself: each entry stems from one message or connection of ours, and those are bounded.
#[derive(Debug, Clone)]
pub(super) struct Reporter(mpsc::UnboundedSender<TransportEvent>);

impl Reporter {
    /// A reporter and the end to read from.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<TransportEvent>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Something could not be sent.
    pub(super) fn send_failed(&self, transport: Transport, addr: SocketAddr, why: &dyn fmt::Display) {
        let peer = Peer { transport, addr };
        // Nobody listens any more when the transports are being closed.
        let _ = self.0.send(TransportEvent::SendFailed { peer, detail: why.to_string() });
    }
}

/// Passes reports on to the router until `stop`.
pub(super) async fn forward(
    mut reports: mpsc::UnboundedReceiver<TransportEvent>,
    sink: Sink,
    stop: CancellationToken,
) {
    while let Some(Some(event)) = stop.run_until_cancelled(reports.recv()).await {
        sink(event);
    }
}
