//! Streams (RFC 3261 §18, RFC 5923 in spirit): listeners, and one table of connections that both ends' messages share.
//!
//! A connection is known by the other end's address. It is used for whatever goes there while it stands; a message to an
//! address without a connection makes one. Everything a stranger can do is bounded: connections, bytes of an unfinished
//! message, the time to finish one, and idleness.

mod connection;
mod table;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use callbox_events::sip::{Peer, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::events::Reporter;
use super::{Sink, TransportOptions};
use connection::Connection;
use table::{Entry, Table};

/// A pause after the system refused a new connection: it may do so again at once.
const PAUSE: Duration = Duration::from_millis(100);

/// Connections that wait to be accepted.
const BACKLOG: i32 = 256;

/// The state of a connection that others may wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    /// Being made.
    Connecting,
    /// It stands.
    Up,
    /// It could not be made, in the system's words.
    Failed(String),
}

/// A connection to be made, handed to the tasks' thread.
#[derive(Debug)]
struct Order {
    local: Peer,
    to: SocketAddr,
    queued: mpsc::Receiver<Bytes>,
    link: watch::Sender<Link>,
}

/// One listener and all connections from or to its address.
#[derive(Debug)]
pub(super) struct Tcp {
    local: Peer,
    table: Arc<Table>,
    orders: mpsc::UnboundedSender<Order>,
    reporter: Reporter,
}

/// The tasks' half.
pub(super) struct Tasks {
    local: Peer,
    listener: TcpListener,
    table: Arc<Table>,
    orders: mpsc::UnboundedReceiver<Order>,
    reporter: Reporter,
    options: TransportOptions,
}

impl Tcp {
    /// Binds a listener. The tasks are not started yet.
    pub(super) fn bind(
        addr: SocketAddr,
        options: &TransportOptions,
        reporter: &Reporter,
    ) -> io::Result<(Self, Tasks)> {
        let listener = TcpListener::from_std(open(addr)?.into())?;
        let local = Peer { transport: Transport::Tcp, addr: listener.local_addr()? };
        let table = Arc::new(Table::new(options.max_connections));
        // Not bounded in itself: an order needs a place in the table, and those are.
        let (orders, ordered) = mpsc::unbounded_channel();
        let tasks = Tasks {
            local,
            listener,
            table: Arc::clone(&table),
            orders: ordered,
            reporter: reporter.clone(),
            options: *options,
        };
        Ok((Self { local, table, orders, reporter: reporter.clone() }, tasks))
    }

    /// Where it is bound, with the real port.
    pub(super) fn local(&self) -> Peer {
        self.local
    }

    /// Sends on the connection to `to`, making one if none stands.
    pub(super) fn send(&self, to: SocketAddr, bytes: Bytes) {
        let sent = self.entry(to).and_then(|entry| {
            entry.queue.try_send(bytes).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => "the connection does not keep up".to_owned(),
                mpsc::error::TrySendError::Closed(_) => "the connection is closed".to_owned(),
            })
        });
        if let Err(why) = sent {
            self.reporter.send_failed(Transport::Tcp, to, &why);
        }
    }

    /// Waits until a connection to `to` stands.
    pub(super) async fn connect(&self, to: SocketAddr) -> Result<(), String> {
        let mut link = self.entry(to)?.link;
        match link.wait_for(|link| *link != Link::Connecting).await.map(|link| link.clone()) {
            Ok(Link::Up) => Ok(()),
            Ok(Link::Failed(why)) => Err(why),
            Ok(Link::Connecting) | Err(_) => Err("the transport is closed".to_owned()),
        }
    }

    /// The connection to `to`, ordered if there is none.
    fn entry(&self, to: SocketAddr) -> Result<Entry, String> {
        let (entry, new) = self.table.get_or_insert(to)?;
        if let Some((queued, link)) = new {
            let order = Order { local: self.local, to, queued, link };
            self.orders.send(order).map_err(|_| "the transport is closed".to_owned())?;
        }
        Ok(entry)
    }
}

fn open(addr: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restarted engine must get its port back while old connections linger.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

impl Tasks {
    /// Accepts and connects until `stop`.
    pub(super) async fn run(mut self, tell: Sink, tracker: TaskTracker, stop: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(order) = self.orders.recv() => self.connect(order, &tell, &tracker, &stop),
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, from)) => self.accept(stream, from, &tell, &tracker, &stop),
                    Err(error) => {
                        tracing::debug!(%error, "accepting a connection");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
            }
        }
    }

    fn accept(
        &self,
        stream: tokio::net::TcpStream,
        from: SocketAddr,
        tell: &Sink,
        tracker: &TaskTracker,
        stop: &CancellationToken,
    ) {
        let Some(queued) = self.table.insert_accepted(from) else {
            tracing::debug!("a connection is refused: the table is full");
            return;
        };
        let connection = self.connection(self.local, from, tell, stop);
        tokio::task::spawn_local(tracker.track_future(connection.serve_accepted(stream, queued)));
    }

    fn connect(&self, order: Order, tell: &Sink, tracker: &TaskTracker, stop: &CancellationToken) {
        let Order { local, to, queued, link } = order;
        let connection = self.connection(local, to, tell, stop);
        let task = async move {
            match connection.open().await {
                Ok(stream) => {
                    link.send_replace(Link::Up);
                    connection.serve_made(stream, queued).await;
                }
                Err(why) => {
                    connection.never_stood(queued, &why);
                    link.send_replace(Link::Failed(why));
                }
            }
        };
        tokio::task::spawn_local(tracker.track_future(task));
    }

    fn connection(
        &self,
        local: Peer,
        other: SocketAddr,
        tell: &Sink,
        stop: &CancellationToken,
    ) -> Connection {
        Connection {
            local,
            peer: Peer { transport: Transport::Tcp, addr: other },
            tell: Sink::clone(tell),
            table: Arc::clone(&self.table),
            reporter: self.reporter.clone(),
            max_message: self.options.max_message,
            stop: stop.clone(),
        }
    }
}
