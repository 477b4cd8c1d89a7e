//! A portable recording: the commits as the store holds them (`store/RECORDING.md`).

use callbox_events::schema::StoredCommit;
use callbox_store::recording::{Header, Writer};

use super::CommitSink;
use super::destination::Destination;
use crate::failure::Failure;

/// Writes a recording.
pub struct Recording {
    out: Writer<Destination>,
}

impl Recording {
    /// Begins it.
    pub fn new(out: Destination, header: &Header) -> Result<Self, Failure> {
        Ok(Self { out: Writer::new(out, header)? })
    }
}

impl CommitSink for Recording {
    fn commit(&mut self, stored: &StoredCommit, commitment: Option<[u8; 32]>) -> Result<(), Failure> {
        Ok(self.out.commit(stored, commitment)?)
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        let (out, _) = self.out.finish()?;
        out.finish()
    }
}
