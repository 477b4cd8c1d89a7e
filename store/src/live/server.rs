//! The answering half: plain threads, one per reader, few readers.

use std::collections::HashMap;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use callbox_events::schema::StoredCommit;

use super::protocol::{self, PIECE, Reply, Request};
use super::socket::{self, Bound};
use super::{Eraser, Raw, Served};
use crate::error::ReadError;
use crate::journal::Cursor;

/// More readers at once are turned away.
const MAX_READERS: usize = 64;

/// How often a watcher hears something even if nothing happens, so that either end notices the other's death.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long those who follow may take to fetch the rest once they were told the end: until nobody came for one moment, at
/// most so many moments.
const PARTING: (u32, Duration) = (20, Duration::from_millis(50));

/// Serves a journal until it is dropped. Readers who follow it are seen off first, if it is closed then.
pub struct Server {
    shared: Arc<Shared>,
    path: std::path::PathBuf,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    journal: Arc<dyn Served>,
    eraser: Option<Box<dyn Eraser>>,
    stopping: AtomicBool,
    /// Whether anybody ever followed.
    followed: AtomicBool,
    readers: Mutex<Readers>,
}

#[derive(Default)]
struct Readers {
    next: u64,
    open: HashMap<u64, (UnixStream, Option<JoinHandle<()>>)>,
    finished: Vec<JoinHandle<()>>,
}

impl Server {
    /// Listens in the store's directory. `eraser` erases parties on request, of an erasable store.
    ///
    /// # Errors
    /// The system's.
    pub fn start(
        store: &Path,
        journal: Arc<dyn Served>,
        eraser: Option<Box<dyn Eraser>>,
    ) -> io::Result<Self> {
        let bound = socket::bind(store)?;
        let path = bound.path.clone();
        let shared = Shared {
            journal,
            eraser,
            stopping: AtomicBool::new(false),
            followed: AtomicBool::new(false),
            readers: Mutex::default(),
        };
        let shared = Arc::new(shared);
        let accepting = Arc::clone(&shared);
        let thread = thread::Builder::new().name("callbox-readers".into());
        let thread = thread.spawn(move || accept(&bound, &accepting))?;
        Ok(Self { shared, path, accepting: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.see_off();
        self.shared.stopping.store(true, Ordering::Release);
        let woken = UnixStream::connect(&self.path).is_ok();
        if let Some(thread) = self.accepting.take().filter(|_| woken) {
            let _ = thread.join();
        }
        let mut readers = self.shared.readers();
        let mut threads = std::mem::take(&mut readers.finished);
        for (_, (stream, thread)) in readers.open.drain() {
            let _ = stream.shutdown(Shutdown::Both);
            threads.extend(thread);
        }
        drop(readers);
        threads.into_iter().for_each(|thread| drop(thread.join()));
    }
}

impl Shared {
    fn see_off(&self) {
        if !self.followed.load(Ordering::Acquire) {
            return;
        }
        let mut came = None;
        for _ in 0..PARTING.0 {
            let readers = self.readers();
            if readers.open.is_empty() && came == Some(readers.next) {
                return;
            }
            came = Some(readers.next);
            drop(readers);
            thread::sleep(PARTING.1);
        }
    }

    fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn accept(bound: &Bound, shared: &Arc<Shared>) {
    for stream in bound.listener.incoming() {
        if shared.stopping.load(Ordering::Acquire) {
            return;
        }
        let accepted = stream.and_then(|stream| admit(stream, shared));
        if let Err(error) = accepted {
            tracing::warn!(%error, "a reader of the journal was not served");
            // Out of descriptors, most likely: trying again at once would only spin.
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn admit(stream: UnixStream, shared: &Arc<Shared>) -> io::Result<()> {
    let mut readers = shared.readers();
    readers.finished.drain(..).for_each(|thread| drop(thread.join()));
    if readers.open.len() >= MAX_READERS {
        return Ok(());
    }
    let key = readers.next;
    readers.next += 1;
    readers.open.insert(key, (stream.try_clone()?, None));
    let serving = Arc::clone(shared);
    let spawned = thread::Builder::new().name("callbox-reader".into()).spawn(move || {
        // A reader that goes away in the middle is no news.
        let _ = serve(&stream, &serving);
        let mut readers = serving.readers();
        let thread = readers.open.remove(&key).and_then(|(_, thread)| thread);
        readers.finished.extend(thread);
    });
    match spawned {
        Ok(thread) => {
            if let Some((_, slot)) = readers.open.get_mut(&key) {
                *slot = Some(thread);
            }
            Ok(())
        }
        Err(error) => {
            readers.open.remove(&key);
            Err(error)
        }
    }
}

fn serve(stream: &UnixStream, shared: &Shared) -> io::Result<()> {
    let mut input = BufReader::new(stream);
    let mut out = BufWriter::with_capacity(64 * 1024, stream);
    protocol::greet(&mut out)?;
    protocol::greeted(&mut input)?;
    while let Some(request) = Request::read(&mut input)? {
        let outcome = answer(request, shared, &mut out)?;
        outcome.map_or_else(Reply::Failed, |()| Reply::End).write(&mut out)?;
        out.flush()?;
    }
    Ok(())
}

/// Writes everything but the last message; the outer result is the connection's, the inner one the journal's.
fn answer(request: Request, shared: &Shared, out: &mut impl Write) -> io::Result<Result<(), ReadError>> {
    let journal = &shared.journal;
    match request {
        Request::Tail => each(journal.tail().map(|tail| [Ok(Reply::Cursor(tail))]), out),
        Request::Calls => each(journal.calls().map(|calls| calls.map(|call| call.map(Reply::Call))), out),
        Request::Read(call) => each(journal.read(call).map(|commits| commits.into_iter().map(encoded)), out),
        Request::ReadAll(from, limit) => {
            let limit = if limit == 0 { usize::MAX } else { limit as usize };
            let commits = journal.raw_all(from);
            each(commits.map(|commits| commits.take(limit).map(|raw| raw.map(Reply::Commit))), out)
        }
        Request::Head(call) => {
            each(journal.head(call).map(|head| head.map(|head| Ok(Reply::Head(head)))), out)
        }
        Request::Latest => each(journal.latest().map(|call| call.map(|call| Ok(Reply::Call(call)))), out),
        Request::Watch(from) => watch(from, shared, out).map(Ok),
        Request::Document(which) => each(journal.document(which).map(pieces).map_err(unreadable), out),
        Request::Erase(party, calls, commits) => {
            let receipt = match &shared.eraser {
                Some(eraser) => eraser.erase(party, calls, commits),
                None => Err(ReadError::Unavailable { why: "this store is not erasable".into() }),
            };
            each(receipt.map(|note| [Ok(Reply::Receipt(note))]), out)
        }
    }
}

fn each<I>(replies: Result<I, ReadError>, out: &mut impl Write) -> io::Result<Result<(), ReadError>>
where
    I: IntoIterator<Item = Result<Reply, ReadError>>,
{
    let replies = match replies {
        Ok(replies) => replies,
        Err(error) => return Ok(Err(error)),
    };
    for reply in replies {
        match reply {
            Ok(reply) => reply.write(out)?,
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(()))
}

fn unreadable(error: io::Error) -> ReadError {
    ReadError::Unavailable { why: format!("a file of the store can't be read: {error}") }
}

fn pieces(document: Option<Box<dyn Read + Send>>) -> impl Iterator<Item = Result<Reply, ReadError>> {
    let mut document = document.unwrap_or_else(|| Box::new(io::empty()));
    std::iter::from_fn(move || {
        let mut piece = Vec::with_capacity(PIECE);
        match document.by_ref().take(PIECE as u64).read_to_end(&mut piece) {
            Ok(0) => None,
            Ok(_) => Some(Ok(Reply::Piece(piece))),
            Err(error) => Some(Err(unreadable(error))),
        }
    })
}

fn encoded(stored: StoredCommit) -> Result<Reply, ReadError> {
    let payload = stored.payload().map_err(|error| ReadError::at_seq(stored.seq, error.to_string()))?;
    Ok(Reply::Commit(Raw { seq: stored.seq, hash: stored.hash, payload: payload.into_owned() }))
}

fn watch(from: Cursor, shared: &Shared, out: &mut impl Write) -> io::Result<()> {
    shared.followed.store(true, Ordering::Release);
    let mut seen = from;
    loop {
        let heard = shared.journal.bell().wait(seen, HEARTBEAT);
        seen = heard.tail;
        Reply::Cursor(seen).write(out)?;
        out.flush()?;
        if heard.closed || shared.stopping.load(Ordering::Acquire) {
            return Ok(());
        }
    }
}
