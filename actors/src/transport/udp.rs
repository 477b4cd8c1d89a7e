//! Datagrams (RFC 3261 §18).
//!
//! Reading: one task per socket. A wake-up reads what is there, at most a batch, into one buffer and copies each datagram
//! out of it at its exact size: a call may keep its INVITE for hours, and a slice of a shared buffer would keep all of it.
//!
//! Writing: straight from whoever sends. Only what the system would block goes to a queue, and a task waits for room. The
//! queue is bounded; beyond it datagrams are lost as the network would lose them, and retransmission mends it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use callbox_events::sip::{Peer, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::events::Reporter;
use super::{Datagram, Sink, TransportEvent, TransportOptions};

/// Largest datagram there is: a length field of 16 bits.
const LARGEST: usize = 65_535;

/// Above this a request should travel on a stream (RFC 3261 §18.1.1).
const ADVISABLE: usize = 1_300;

/// How many datagrams may wait for room in the system's buffer.
const QUEUE: usize = 4_096;

/// A pause after an error that may come again at once.
const PAUSE: Duration = Duration::from_millis(10);

/// One bound socket.
#[derive(Debug)]
pub(super) struct Udp {
    local: Peer,
    socket: RwLock<Option<Arc<UdpSocket>>>,
    queue: mpsc::Sender<(SocketAddr, Bytes)>,
    reporter: Reporter,
}

/// The tasks' half of a socket.
pub(super) struct Tasks {
    local: Peer,
    socket: Arc<UdpSocket>,
    queued: mpsc::Receiver<(SocketAddr, Bytes)>,
    reporter: Reporter,
}

impl Udp {
    /// Binds a socket. The tasks are not started yet.
    pub(super) fn bind(
        addr: SocketAddr,
        options: &TransportOptions,
        reporter: &Reporter,
    ) -> io::Result<(Self, Tasks)> {
        let socket = Arc::new(UdpSocket::from_std(open(addr, options.receive_buffer)?.into())?);
        let local = Peer { transport: Transport::Udp, addr: socket.local_addr()? };
        let (queue, queued) = mpsc::channel(QUEUE);
        let tasks = Tasks { local, socket: Arc::clone(&socket), queued, reporter: reporter.clone() };
        Ok((Self { local, socket: RwLock::new(Some(socket)), queue, reporter: reporter.clone() }, tasks))
    }

    /// Where it is bound, with the real port.
    pub(super) fn local(&self) -> Peer {
        self.local
    }

    /// Sends a datagram now if the system takes it, later if it does not.
    pub(super) fn send(&self, to: SocketAddr, bytes: Bytes) {
        if bytes.len() > ADVISABLE {
            tracing::debug!(bytes = bytes.len(), "a datagram above the advisable size");
        }
        let socket = self.socket.read().unwrap_or_else(PoisonError::into_inner);
        let Some(socket) = socket.as_ref() else { return };
        match socket.try_send_to(&bytes, to) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if self.queue.try_send((to, bytes)).is_err() {
                    tracing::debug!("a datagram is lost: the send queue is full");
                }
            }
            Err(error) => self.reporter.send_failed(self.local.transport, to, &error),
        }
    }

    /// Lets go of the socket; the tasks do the same when they end.
    pub(super) fn close(&self) {
        *self.socket.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A bound, non-blocking socket with a receive buffer as large as the system allows: the default one loses datagrams
/// under load.
fn open(addr: SocketAddr, receive_buffer: usize) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_recv_buffer_size(receive_buffer)?;
    // Linux reports twice what it grants (socket(7)).
    let granted = socket.recv_buffer_size()? / 2;
    if granted < receive_buffer {
        tracing::debug!(
            asked = receive_buffer,
            granted,
            "the receive buffer is smaller; see net.core.rmem_max"
        );
    }
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    Ok(socket)
}

impl Tasks {
    /// Reads and writes until `stop`, then sends what is queued as far as the system takes it at once.
    pub(super) async fn run(self, tell: Sink, batch: usize, stop: CancellationToken) {
        let Self { local, socket, mut queued, reporter } = self;
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = read(&socket, local, &tell, batch.max(1)) => {}
            () = write(&socket, local, &mut queued, &reporter) => {}
        }
        while let Ok((to, bytes)) = queued.try_recv() {
            if socket.try_send_to(&bytes, to).is_err() {
                break;
            }
        }
    }
}

async fn read(socket: &UdpSocket, local: Peer, tell: &Sink, limit: usize) {
    let mut buffer = vec![0; LARGEST];
    loop {
        if socket.readable().await.is_err() {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        let (batch, end) = read_batch(socket, local, &mut buffer, limit);
        if !batch.is_empty() {
            tell(TransportEvent::Batch(batch));
        }
        match end {
            End::Empty => {}
            End::Full => tokio::task::yield_now().await,
            End::Error(error) => {
                tracing::debug!(%error, "reading datagrams");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Why a batch ended.
enum End {
    /// Nothing more is there.
    Empty,
    /// There may be more, but others want their turn.
    Full,
    /// The system complains.
    Error(io::Error),
}

fn read_batch(socket: &UdpSocket, local: Peer, buffer: &mut [u8], limit: usize) -> (Vec<Datagram>, End) {
    let mut batch = Vec::new();
    for _ in 0..limit {
        match socket.try_recv_from(buffer) {
            Ok((length, addr)) => {
                let bytes = buffer.get(..length).unwrap_or_default();
                if !is_keep_alive(bytes) {
                    let source = Peer { transport: Transport::Udp, addr };
                    batch.push(Datagram { bytes: Bytes::copy_from_slice(bytes), source, local });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return (batch, End::Empty),
            Err(error) => return (batch, End::Error(error)),
        }
    }
    (batch, End::Full)
}

/// Whether a datagram only keeps a NAT binding open: CRLFs, zeros or nothing at all.
fn is_keep_alive(bytes: &[u8]) -> bool {
    bytes.len() <= 4 && bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0))
}

async fn write(
    socket: &UdpSocket,
    local: Peer,
    queued: &mut mpsc::Receiver<(SocketAddr, Bytes)>,
    reporter: &Reporter,
) {
    while let Some((to, bytes)) = queued.recv().await {
        if let Err(error) = socket.send_to(&bytes, to).await {
            reporter.send_failed(local.transport, to, &error);
        }
    }
}
