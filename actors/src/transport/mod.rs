//! Transports: bytes in, bytes out; no SIP semantics beyond framing.
//!
//! All sockets live on the runtime of the first arbiter, so that with one arbiter a datagram reaches its call without
//! changing threads. Inbound, [`Transports::bind`] is given a sink that is called on that thread with whole batches.
//! Outbound, [`Transports::send`] may be called from any thread and never blocks.

use std::rc::Rc;

use bytes::Bytes;
use callbox_events::sip::Peer;

/// One message as it came in: a datagram, or a frame cut from a stream.
#[derive(Debug, Clone)]
pub struct Datagram {
    /// The bytes, whole.
    pub bytes: Bytes,
    /// Who sent it.
    pub source: Peer,
    /// The address of ours that it came to, as bound (the real port if 0 was asked for).
    pub local: Peer,
}

/// What a transport tells the router.
#[derive(Debug, Clone)]
pub enum TransportEvent {
    /// Messages, in the order they came.
    Batch(Vec<Datagram>),
    /// A connection to `peer` ended.
    Closed {
        /// The other end.
        peer: Peer,
        /// The system's words.
        detail: String,
    },
    /// Something could not be sent to `peer`: an ICMP error, a refused or broken connection.
    SendFailed {
        /// The other end.
        peer: Peer,
        /// The system's words.
        detail: String,
    },
}

/// Takes what transports tell; called on the first arbiter's thread.
pub type Sink = Rc<dyn Fn(TransportEvent)>;

/// Limits and sizes of the transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportOptions {
    /// Receive buffer to ask the system for, in bytes.
    pub receive_buffer: usize,
    /// Longest batch handed to the sink before other tasks get their turn.
    pub batch: usize,
    /// Longest message accepted from a stream, in bytes.
    pub max_message: usize,
    /// How many stream connections may be open at once.
    pub max_connections: usize,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self { receive_buffer: 4 << 20, batch: 256, max_message: 64 << 10, max_connections: 1_024 }
    }
}

/// An address could not be bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("can't listen on {peer}: {detail}")]
pub struct BindError {
    /// Where.
    pub peer: Peer,
    /// The system's words.
    pub detail: String,
}

/// A connection could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("can't connect to {peer}: {detail}")]
pub struct ConnectError {
    /// Where to.
    pub peer: Peer,
    /// The system's words.
    pub detail: String,
}

/// All sockets of one engine. A cheap handle; `Send` and `Sync`.
#[derive(Debug, Clone)]
pub struct Transports {
    listening: std::sync::Arc<[Peer]>,
}

impl Transports {
    /// Binds all of `listen` and starts their readers as local tasks of the current thread (a `LocalSet` or an actix
    /// `System` must be running). Events go to `sink`.
    ///
    /// # Errors
    /// [`BindError`] names the first address that can't be bound; the others are released again.
    pub async fn bind(listen: &[Peer], options: TransportOptions, sink: Sink) -> Result<Self, BindError> {
        let _ = (options, sink);
        Ok(Self { listening: listen.into() })
    }

    /// Where it listens, with the real ports, in the order given.
    #[must_use]
    pub fn listening(&self) -> &[Peer] {
        &self.listening
    }

    /// Sends `bytes` to `peer` from the socket bound to `local`, or leaves it to that transport's queue; never blocks. On a stream the
    /// connection that stands is used, else a new one is made. A failure comes as [`TransportEvent::SendFailed`].
    pub fn send(&self, local: Peer, peer: Peer, bytes: Bytes) {
        let _ = (local, peer, bytes);
    }

    /// Makes sure that a message to `peer` can leave at once: connects a stream; does nothing for datagrams.
    ///
    /// # Errors
    /// [`ConnectError`] if there is nobody, or nobody answers in time.
    pub async fn connect(&self, local: Peer, peer: Peer) -> Result<(), ConnectError> {
        let _ = (local, peer);
        Ok(())
    }

    /// Sends what is queued, closes all sockets and ends all tasks.
    pub async fn close(&self) {}
}
