//! What nothing durable can beat by much: one write and one fdatasync a group. No checksums; the index by call is built
//! in memory when the file is opened, which no store of millions of calls could afford.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use callbox_events::CallId;
use callbox_events::schema;

use super::{Read, events};
use crate::group::{Engine, Entry};

fn path(dir: &Path) -> PathBuf {
    dir.join("plain")
}

/// The file while it is written.
pub struct File {
    file: std::fs::File,
    buffer: Vec<u8>,
}

impl File {
    /// Begins the file.
    pub fn create(dir: &Path) -> Self {
        let file = std::fs::File::create(path(dir)).expect("a file");
        std::fs::File::open(dir).and_then(|dir| dir.sync_all()).expect("its name is durable");
        Self { file, buffer: Vec::new() }
    }
}

impl Engine for File {
    fn commit(&mut self, group: &[Entry]) {
        self.buffer.clear();
        for entry in group {
            self.buffer.extend_from_slice(&(entry.payload.len() as u32).to_be_bytes());
            self.buffer.extend_from_slice(&entry.payload);
        }
        self.file.write_all(&self.buffer).expect("room");
        self.file.sync_data().expect("it is synced");
    }
}

/// The file while it is read.
pub struct Reader {
    bytes: Vec<u8>,
    index: HashMap<CallId, Vec<usize>>,
}

impl Reader {
    /// Reads the file and makes the index.
    pub fn open(dir: &Path) -> Self {
        let mut reader = Self { bytes: std::fs::read(path(dir)).expect("a file"), index: HashMap::new() };
        let mut at = 0;
        while at < reader.bytes.len() {
            let payload = reader.payload(at);
            let (call, length) = (schema::decode(payload).expect("it is whole").call, payload.len());
            reader.index.entry(call).or_default().push(at);
            at += 4 + length;
        }
        reader
    }

    fn payload(&self, at: usize) -> &[u8] {
        let (length, rest) = self.bytes[at..].split_first_chunk::<4>().expect("a length");
        &rest[..u32::from_be_bytes(*length) as usize]
    }
}

impl Read for Reader {
    fn call(&self, call: CallId) -> u64 {
        let places = self.index.get(&call).map(Vec::as_slice).unwrap_or_default();
        places.iter().map(|at| u64::from(events(self.payload(*at)) > 0)).sum()
    }

    fn scan(&self) -> u64 {
        let (mut at, mut found) = (0, 0);
        while at < self.bytes.len() {
            let payload = self.payload(at);
            found += events(payload);
            at += 4 + payload.len();
        }
        found
    }
}
