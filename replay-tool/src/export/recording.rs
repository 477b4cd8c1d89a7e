//! A portable recording: the commits as the store holds them, with the newest checkpoint and what proves that they stand
//! in the journal under it (`store/RECORDING.md`).

use std::io::Write as _;
use std::sync::Arc;

use callbox_events::schema::StoredCommit;
use callbox_store::erasable::CallKeys;
use callbox_store::proof::entries::Entry;
use callbox_store::proof::leaf::Leaf;
use callbox_store::recording::proofs::{self, Prover};
use callbox_store::recording::{Header, Writer};
use callbox_store::retention::pruned::Pruned;

use super::CommitSink;
use super::destination::Destination;
use crate::failure::Failure;

/// Writes a recording.
pub struct Recording {
    out: Writer<Destination>,
    proof: Proof,
}

/// What vouches for the commits.
enum Proof {
    /// Nothing: the store has no checkpoint, or is a recording itself.
    None,
    /// The commits are not those of the journal; the checkpoint says which journal the commitments were made of.
    Checkpoint(Box<Entry>),
    /// The commits lead to the checkpoint.
    Full(Box<Prover>),
}

impl Recording {
    /// Begins it; `keys` open the sealed commits of an erasable store elsewhere, too.
    pub fn new(out: Destination, header: &Header, keys: Option<Arc<dyn CallKeys>>) -> Result<Self, Failure> {
        Ok(Self { out: Writer::new(out, header)?.with_keys(keys), proof: Proof::None })
    }

    /// The same with what vouches for its commits, or for the originals of redacted ones: a checkpoint of the store, of which
    /// the beginning may have been pruned.
    pub fn under(self, checkpoint: Entry, pruned: Option<&Pruned>, redacted: bool) -> Self {
        let proof = match redacted {
            true => Proof::Checkpoint(Box::new(checkpoint)),
            false => Proof::Full(Box::new(Prover::new(checkpoint, pruned))),
        };
        Self { proof, ..self }
    }
}

impl CommitSink for Recording {
    fn met(&mut self, stored: &StoredCommit, chosen: bool) -> Result<(), Failure> {
        if let (Proof::Full(prover), Some(leaf)) = (&mut self.proof, Leaf::of(stored))
            && let Some(section) = prover.add(&leaf, chosen)
        {
            self.out.section(&section)?;
        }
        Ok(())
    }

    fn commit(&mut self, stored: &StoredCommit, commitment: Option<[u8; 32]>) -> Result<(), Failure> {
        Ok(self.out.commit(stored, commitment)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        let sections = match self.proof {
            Proof::None => Vec::new(),
            Proof::Checkpoint(entry) => vec![proofs::checkpoint(&entry)],
            Proof::Full(prover) => prover.finish().or_else(|error| {
                writeln!(anstream::stderr(), "warning: the recording has no proofs: {error}")?;
                Ok::<_, Failure>(Vec::new())
            })?,
        };
        sections.iter().try_for_each(|section| self.out.section(section))?;
        let (out, _) = self.out.finish()?;
        out.finish()
    }
}
