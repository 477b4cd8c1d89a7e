//! The group commit that every peer gets but the journal, which brings its own: one thread takes what waits, at most as
//! much as a group of the journal may have, has it made durable at once, and answers.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use callbox_events::CallId;
use callbox_events::schema::{self, Commit};
use callbox_store::sled::Options;
use callbox_store::{Ack, Append, Position};

use crate::peer::Written;

/// A commit as a store gets it.
pub struct Entry {
    /// Its place in the order of all events.
    pub seq: u64,
    /// The call.
    pub call: CallId,
    /// Its place within the call.
    pub version: u32,
    /// How many events it has.
    pub events: u64,
    /// The encoded commit.
    pub payload: Vec<u8>,
}

impl Entry {
    /// The key of an index by call.
    pub fn by_call(&self) -> [u8; 20] {
        let mut key = [0; 20];
        key[..16].copy_from_slice(self.call.as_bytes());
        key[16..].copy_from_slice(&self.version.to_be_bytes());
        key
    }
}

/// Something that makes a group durable.
pub trait Engine: Send + 'static {
    /// Writes all entries and their places in the index by call. They are durable when it returns.
    fn commit(&mut self, group: &[Entry]);
}

/// A store behind a group commit.
pub struct Grouped {
    queue: Option<Sender<(Entry, Ack)>>,
    writer: Option<JoinHandle<()>>,
}

impl Grouped {
    /// Starts the writer.
    pub fn start(engine: impl Engine) -> Self {
        let (queue, requests) = channel();
        let writer = std::thread::spawn(move || write(engine, &requests));
        Self { queue: Some(queue), writer: Some(writer) }
    }

    /// Opens an engine in a directory and starts its writer.
    pub fn over<E: Engine>(dir: &Path, open: impl FnOnce(&Path) -> E) -> Box<dyn Written> {
        Box::new(Self::start(open(dir)))
    }
}

impl Written for Grouped {
    fn append(&self, commit: Commit) -> Append {
        let (ack, append) = Append::pending();
        let payload = schema::encode(&commit).expect("a commit can be encoded");
        let version = u32::try_from(commit.version).expect("calls are short");
        let (call, events) = (commit.call, commit.events.len() as u64);
        let entry = Entry { seq: 0, call, version, events, payload };
        let queue = self.queue.as_ref().expect("it is open");
        queue.send((entry, ack)).expect("the writer lives");
        append
    }

    fn close(mut self: Box<Self>) {
        drop(self.queue.take());
        let writer = self.writer.take().expect("it was started");
        writer.join().expect("it wrote everything");
    }
}

fn write(mut engine: impl Engine, requests: &Receiver<(Entry, Ack)>) {
    let limits = Options::default();
    let (mut seq, mut left_over) = (0, None);
    while let Some(first) = left_over.take().or_else(|| requests.recv().ok()) {
        let (mut group, mut acks, mut bytes) = (Vec::new(), Vec::new(), 0);
        for (mut entry, ack) in std::iter::once(first).chain(requests.try_iter()) {
            let full = acks.len() >= limits.group_commits || bytes + entry.payload.len() > limits.group_bytes;
            if full && !acks.is_empty() {
                left_over = Some((entry, ack));
                break;
            }
            bytes += entry.payload.len();
            entry.seq = seq;
            seq += entry.events;
            acks.push((ack, Position { seq: entry.seq }));
            group.push(entry);
        }
        engine.commit(&group);
        acks.into_iter().for_each(|(ack, position)| ack.resolve(Ok(position)));
    }
}
