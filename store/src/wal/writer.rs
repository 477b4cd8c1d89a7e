//! Appending to the newest segment, and syncing it: what an acknowledgement rests on.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use super::{HEADER_BYTES, Kind, Place, header, path};
use crate::layout::{self, sync_dir};

/// Room is allotted in steps: a sync then has no new blocks and no new length to make durable, and a full disk is met
/// before anything is written.
const STEP: u64 = 4 * 1024 * 1024;

/// The open end of the log.
#[derive(Debug)]
pub struct Writer {
    store: PathBuf,
    file: File,
    next: Place,
    allotted: u64,
    segment_bytes: u64,
}

impl Writer {
    /// Begins a segment whose first event has this global sequence number. What a segment of that name held is
    /// overwritten: nothing in it was ever acknowledged.
    ///
    /// # Errors
    /// The system's.
    pub fn begin(store: &Path, first: u64, kind: Kind, segment_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(store.join(layout::WAL))?;
        let path = path(store, first);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        file.write_all_at(&header(first, kind), 0)?;
        file.sync_all()?;
        sync_names(store)?;
        let next = Place { segment: first, offset: HEADER_BYTES };
        Ok(Self { store: store.to_owned(), file, next, allotted: HEADER_BYTES, segment_bytes })
    }

    /// Goes on behind the last whole record. What a write that never ended left there is cut off.
    ///
    /// # Errors
    /// The system's.
    pub fn resume(store: &Path, next: Place, segment_bytes: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path(store, next.segment))?;
        file.set_len(next.offset)?;
        file.sync_all()?;
        // Whoever began the segment may have been killed before it synced the name.
        sync_names(store)?;
        Ok(Self { store: store.to_owned(), file, next, allotted: next.offset, segment_bytes })
    }

    /// Writes a record that begins at global sequence number `seq`; returns the place behind it. Not durable yet.
    ///
    /// # Errors
    /// The system's.
    pub fn append(&mut self, seq: u64, record: &[u8]) -> io::Result<Place> {
        let length = record.len() as u64;
        if self.next.offset > HEADER_BYTES && self.next.offset + length > self.segment_bytes {
            self.go_on_in(seq, Kind::Further)?;
        }
        self.allot(self.next.offset + length)?;
        self.file.write_all_at(record, self.next.offset)?;
        self.next.offset += length;
        Ok(self.next)
    }

    /// Begins a new segment at global sequence number `seq`, which is the end of the log.
    ///
    /// # Errors
    /// The system's; then nothing has changed.
    pub fn go_on_in(&mut self, seq: u64, kind: Kind) -> io::Result<()> {
        self.finish()?;
        *self = Self::begin(&self.store, seq, kind, self.segment_bytes)?;
        Ok(())
    }

    fn allot(&mut self, wanted: u64) -> io::Result<()> {
        if wanted <= self.allotted {
            return Ok(());
        }
        let length = (wanted - self.allotted).next_multiple_of(STEP);
        match fallocate(&self.file, FallocateFlags::empty(), self.allotted, length) {
            Ok(()) => self.allotted += length,
            // Not every file system can; then the file grows as it is written.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => self.allotted = u64::MAX,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Makes everything written durable. A failed sync is never repeated: the kernel may have dropped the pages.
    ///
    /// # Errors
    /// The system's.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Gives back the room that was not needed.
    ///
    /// # Errors
    /// The system's.
    pub fn finish(&self) -> io::Result<()> {
        self.file.set_len(self.next.offset)?;
        self.file.sync_all()
    }
}

/// Makes the names of the segments durable, and of their directory.
fn sync_names(store: &Path) -> io::Result<()> {
    sync_dir(&store.join(layout::WAL))?;
    sync_dir(store)
}
