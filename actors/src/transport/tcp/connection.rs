//! One connection: its reader, its writer and its clock in one task.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use callbox_events::sip::Peer;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::super::events::Reporter;
use super::super::framing::Frames;
use super::super::{Datagram, Sink, TransportEvent};
use super::table::Table;

/// How long a connection may take to be made, and a message to be taken by the other end.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a stranger may take for a first message, and anybody for one that is begun: 64·T1.
const UNFINISHED: Duration = Duration::from_secs(32);

/// How long a connection may be silent both ways. Keep-alives come every 120 s (RFC 5626 §4.4.1).
const IDLE: Duration = Duration::from_secs(600);

/// How much is read at once.
const CHUNK: usize = 16 * 1024;

/// What one connection needs.
pub(super) struct Connection {
    /// The address of ours that it belongs to.
    pub local: Peer,
    /// The other end.
    pub peer: Peer,
    /// The way to the router.
    pub tell: Sink,
    /// Where it is registered.
    pub table: Arc<Table>,
    /// For failures to send.
    pub reporter: Reporter,
    /// Longest message.
    pub max_message: usize,
    /// The transports are closing.
    pub stop: CancellationToken,
}

/// Why a connection ended.
enum End {
    /// The transports are closing.
    Stopped,
    /// Idle, closed or broken, in the system's or our words.
    Over(String),
    /// A message could not be written.
    WriteFailed(String),
}

impl Connection {
    /// Connects from our address, from any port.
    pub(super) async fn open(&self) -> Result<TcpStream, String> {
        let connecting = async {
            let socket = if self.peer.addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            let ip = self.local.addr.ip();
            if !ip.is_unspecified() && ip.is_ipv4() == self.peer.addr.is_ipv4() {
                socket.bind((ip, 0).into())?;
            }
            socket.connect(self.peer.addr).await
        };
        tokio::select! {
            () = self.stop.cancelled() => Err("the transport is closed".to_owned()),
            connected = timeout(PATIENCE, connecting) => match connected {
                Ok(Ok(stream)) => Ok(stream),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("nobody answered in time".to_owned()),
            }
        }
    }

    /// Reports a connection that could not be made and gives its place back.
    pub(super) fn never_stood(&self, mut queued: mpsc::Receiver<Bytes>, why: &str) {
        queued.close();
        self.table.remove_closed(self.peer.addr);
        if queued.try_recv().is_ok() {
            self.reporter.send_failed(self.peer.transport, self.peer.addr, &why);
        }
    }

    /// Serves a connection that came in until it ends.
    pub(super) async fn serve_accepted(self, stream: TcpStream, queued: mpsc::Receiver<Bytes>) {
        self.run(stream, queued, UNFINISHED).await;
    }

    /// Serves a connection that we made until it ends.
    pub(super) async fn serve_made(self, stream: TcpStream, queued: mpsc::Receiver<Bytes>) {
        self.run(stream, queued, IDLE).await;
    }

    async fn run(self, stream: TcpStream, mut queued: mpsc::Receiver<Bytes>, first: Duration) {
        // SIP messages are small and somebody waits for each. A socket that is gone already is noticed below.
        let _ = SockRef::from(&stream).set_tcp_nodelay(true);
        let end = self.serve(stream, &mut queued, first).await;
        queued.close();
        self.table.remove_closed(self.peer.addr);
        let (detail, write_failed) = match end {
            End::Stopped => return,
            End::Over(detail) => (detail, false),
            End::WriteFailed(detail) => (detail, true),
        };
        if write_failed || queued.try_recv().is_ok() {
            self.reporter.send_failed(self.peer.transport, self.peer.addr, &detail);
        }
        (self.tell)(TransportEvent::Closed { peer: self.peer, detail });
    }

    async fn serve(&self, mut stream: TcpStream, queued: &mut mpsc::Receiver<Bytes>, first: Duration) -> End {
        let (mut reader, mut writer) = stream.split();
        let mut frames = Frames::new(self.max_message, self.peer.addr);
        let mut chunk = BytesMut::with_capacity(CHUNK);
        let mut deadline = Box::pin(sleep(first));
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {
                    flush(&mut writer, queued).await;
                    return End::Stopped;
                }
                () = &mut deadline => return End::Over("silent for too long".to_owned()),
                Some(bytes) = queued.recv() => {
                    if let Err(error) = write(&mut writer, &bytes).await {
                        return End::WriteFailed(error.to_string());
                    }
                    if !frames.is_unfinished() {
                        deadline.set(sleep(IDLE));
                    }
                }
                read = reader.read_buf(&mut chunk) => {
                    match read {
                        Ok(0) => return End::Over("closed by the other end".to_owned()),
                        Ok(_) => {}
                        Err(error) => return End::Over(error.to_string()),
                    }
                    let was_unfinished = frames.is_unfinished();
                    let cut = frames.cut(&chunk);
                    chunk.clear();
                    if !cut.messages.is_empty() || !was_unfinished {
                        deadline.set(sleep(if frames.is_unfinished() { UNFINISHED } else { IDLE }));
                    }
                    if !cut.messages.is_empty() {
                        (self.tell)(TransportEvent::Batch(self.datagrams(cut.messages)));
                    }
                    for answer in &cut.answers {
                        if let Err(error) = write(&mut writer, answer).await {
                            return End::Over(error.to_string());
                        }
                    }
                    if let Some(why) = cut.broken {
                        return End::Over(why);
                    }
                }
            }
        }
    }

    fn datagrams(&self, messages: Vec<Bytes>) -> Vec<Datagram> {
        let datagram = |bytes| Datagram { bytes, source: self.peer, local: self.local };
        messages.into_iter().map(datagram).collect()
    }
}

/// Writes what is queued, as far as the other end takes it.
async fn flush(writer: &mut (impl AsyncWriteExt + Unpin), queued: &mut mpsc::Receiver<Bytes>) {
    while let Ok(bytes) = queued.try_recv() {
        if write(writer, &bytes).await.is_err() {
            return;
        }
    }
}

async fn write(writer: &mut (impl AsyncWriteExt + Unpin), bytes: &[u8]) -> io::Result<()> {
    match timeout(PATIENCE, writer.write_all(bytes)).await {
        Ok(written) => written,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the other end does not read")),
    }
}
