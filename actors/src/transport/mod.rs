//! Transports: bytes in, bytes out; no SIP semantics beyond framing.
//!
//! All sockets live on the runtime of the first arbiter, so that with one arbiter a datagram reaches its call without
//! changing threads. Inbound, [`Transports::bind`] is given a sink that is called on that thread with whole batches.
//! Outbound, [`Transports::send`] may be called from any thread and never blocks.

mod events;
mod framing;
mod liveness;
mod tcp;
mod udp;

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use callbox_events::sip::{Peer, Transport};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use events::Reporter;
use liveness::Counters;
pub use liveness::Listening;

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
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    listening: Vec<Peer>,
    sockets: Vec<Socket>,
    reporter: Reporter,
    stop: CancellationToken,
    tracker: TaskTracker,
    counters: Arc<Counters>,
}

#[derive(Debug)]
enum Socket {
    Udp(udp::Udp),
    Tcp(tcp::Tcp),
}

/// Tasks that are ready to start.
enum Tasks {
    Udp(udp::Tasks),
    Tcp(tcp::Tasks),
}

impl Transports {
    /// Binds all of `listen` and starts their readers as local tasks of the current thread (a `LocalSet` or an actix
    /// `System` must be running). Events go to `sink`.
    ///
    /// # Errors
    /// [`BindError`] names the first address that can't be bound; the others are released again.
    pub async fn bind(listen: &[Peer], options: TransportOptions, sink: Sink) -> Result<Self, BindError> {
        let (reporter, reports) = Reporter::new();
        let mut sockets = Vec::with_capacity(listen.len());
        let mut tasks = Vec::with_capacity(listen.len());
        for &peer in listen {
            let (socket, task) = open(peer, &options, &reporter)
                .map_err(|error| BindError { peer, detail: error.to_string() })?;
            sockets.push(socket);
            tasks.push(task);
        }
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let counters: Arc<Counters> = Arc::default();
        let sink = counting(sink, Arc::clone(&counters));
        for task in tasks {
            start(task, &sink, &options, &stop, &tracker);
        }
        let forward = events::forward(reports, sink, stop.clone());
        tokio::task::spawn_local(tracker.track_future(forward));
        let listening = sockets.iter().map(Socket::local).collect();
        Ok(Self { shared: Arc::new(Shared { listening, sockets, reporter, stop, tracker, counters }) })
    }

    /// Where it listens, with the real ports, in the order given.
    #[must_use]
    pub fn listening(&self) -> &[Peer] {
        &self.shared.listening
    }

    /// Sends `bytes` to `peer` from the socket bound to `local`, or leaves it to that transport's queue; never blocks.
    /// On a stream the connection that stands is used, else a new one is made. A failure comes as
    /// [`TransportEvent::SendFailed`], never from inside this call.
    pub fn send(&self, local: Peer, peer: Peer, bytes: Bytes) {
        Counters::add(&self.shared.counters.sent, 1);
        match self.socket(local, peer) {
            Some(Socket::Udp(udp)) => udp.send(peer.addr, bytes),
            Some(Socket::Tcp(tcp)) => tcp.send(peer.addr, bytes),
            None => self.shared.reporter.send_failed(peer.transport, peer.addr, &NO_SOCKET),
        }
    }

    /// Makes sure that a message to `peer` can leave at once: connects a stream; does nothing for datagrams.
    ///
    /// # Errors
    /// [`ConnectError`] if there is nobody, or nobody answers in time.
    pub async fn connect(&self, local: Peer, peer: Peer) -> Result<(), ConnectError> {
        let connected = match self.socket(local, peer) {
            Some(Socket::Udp(_)) => Ok(()),
            Some(Socket::Tcp(tcp)) => tcp.connect(peer.addr).await,
            None => Err(NO_SOCKET.to_owned()),
        };
        connected.map_err(|detail| ConnectError { peer, detail })
    }

    /// Sends what is queued, closes all sockets and ends all tasks.
    pub async fn close(&self) {
        self.shared.stop.cancel();
        self.shared.sockets.iter().for_each(Socket::close);
        self.shared.tracker.close();
        self.shared.tracker.wait().await;
    }

    /// The socket bound to `local` if it can reach `peer`, else the first one that can.
    fn socket(&self, local: Peer, peer: Peer) -> Option<&Socket> {
        let reaches = |at: Peer| at.transport == peer.transport && at.addr.is_ipv4() == peer.addr.is_ipv4();
        let (sockets, listening) = (&self.shared.sockets, &self.shared.listening);
        let at = listening
            .iter()
            .position(|&at| at == local && reaches(at))
            .or_else(|| listening.iter().position(|&at| reaches(at)))?;
        sockets.get(at)
    }
}

/// The same sink, behind a counter of what comes in.
fn counting(sink: Sink, counters: Arc<Counters>) -> Sink {
    Rc::new(move |event| {
        if let TransportEvent::Batch(batch) = &event {
            Counters::add(&counters.received, batch.len());
        }
        sink(event);
    })
}

const NO_SOCKET: &str = "the engine has no listener of that transport and address family";

impl Socket {
    fn local(&self) -> Peer {
        match self {
            Self::Udp(udp) => udp.local(),
            Self::Tcp(tcp) => tcp.local(),
        }
    }

    fn close(&self) {
        match self {
            Self::Udp(udp) => udp.close(),
            // Its tasks own the sockets.
            Self::Tcp(_) => {}
        }
    }
}

fn open(peer: Peer, options: &TransportOptions, reporter: &Reporter) -> io::Result<(Socket, Tasks)> {
    Ok(match peer.transport {
        Transport::Udp => {
            let (udp, tasks) = udp::Udp::bind(peer.addr, options, reporter)?;
            (Socket::Udp(udp), Tasks::Udp(tasks))
        }
        Transport::Tcp => {
            let (tcp, tasks) = tcp::Tcp::bind(peer.addr, options, reporter)?;
            (Socket::Tcp(tcp), Tasks::Tcp(tasks))
        }
    })
}

fn start(
    tasks: Tasks,
    sink: &Sink,
    options: &TransportOptions,
    stop: &CancellationToken,
    tracker: &TaskTracker,
) {
    let (sink, stop) = (Rc::clone(sink), stop.clone());
    match tasks {
        Tasks::Udp(tasks) => {
            tokio::task::spawn_local(tracker.track_future(tasks.run(sink, options.batch, stop)));
        }
        Tasks::Tcp(tasks) => {
            tokio::task::spawn_local(tracker.track_future(tasks.run(sink, tracker.clone(), stop)));
        }
    }
}

#[cfg(test)]
mod tests;
