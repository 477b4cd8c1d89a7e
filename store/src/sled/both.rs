//! Both copies of a volume beside each other: the write-ahead log's segments and sled.
//!
//! A record that is damaged or missing in one is taken from the other; what is damaged and what differs is told on the
//! way. Damage in one copy alone loses nothing.

use std::collections::VecDeque;
use std::io;
use std::iter::Peekable;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::log::InTree;
use super::tree::Tree;
use crate::error::ReadError;
use crate::verify::Damage;
use crate::wal::reader::{Step, Walk};
use crate::wal::record::Record;

/// What is met on the way through both copies.
pub enum Met {
    /// A record that at least one copy has as it was written.
    Sound {
        /// The global sequence number of its first event.
        seq: u64,
        /// Its frames, one after another.
        frames: Vec<u8>,
    },
    /// Something that is not as it was written, in at least one copy.
    Damage(Damage),
}

/// A walk through both copies, in the order of sequence numbers.
pub struct Both {
    wal: Peekable<Box<dyn Iterator<Item = Side>>>,
    tree: Peekable<Box<dyn Iterator<Item = Side>>>,
    last_in_tree: Option<u64>,
    ready: VecDeque<Met>,
}

type Side = Result<(u64, Vec<u8>), Damage>;

impl Both {
    /// Through one volume. Without `tree` sled's copy can't be read at all.
    pub fn new(store: &Path, span: &Range<u64>, tree: Option<&Arc<Tree>>) -> Result<Self, ReadError> {
        let unavailable = |error: io::Error| ReadError::Unavailable { why: error.to_string() };
        let wal: Box<dyn Iterator<Item = Side>> =
            Box::new(Walk::within(store, span).map_err(unavailable)?.map(side_of_the_wal));
        let (tree, last): (Box<dyn Iterator<Item = Side>>, _) = match tree {
            Some(tree) => {
                let records = InTree::new(tree, span.start)?.map(|record| {
                    let (seq, bytes) = record?;
                    Ok((seq, bytes.to_vec()))
                });
                (Box::new(records), tree.chunk_at(u64::MAX)?)
            }
            None => (Box::new(std::iter::empty()), None),
        };
        Ok(Self { wal: wal.peekable(), tree: tree.peekable(), last_in_tree: last, ready: VecDeque::new() })
    }

    fn tell(&mut self, seq: u64, what: &str) {
        self.ready.push_back(Met::Damage(ReadError::at_seq(seq, what).into()));
    }

    fn step(&mut self) -> Option<Met> {
        let (wal, tree) = (seq(&mut self.wal), seq(&mut self.tree));
        match (wal, tree) {
            (Ahead::Damage(damage), _) | (_, Ahead::Damage(damage)) => Some(Met::Damage(damage)),
            (Ahead::End, Ahead::End) => None,
            (Ahead::Seq(a), Ahead::Seq(b)) if a == b => self.same(),
            (Ahead::Seq(a), Ahead::Seq(b)) if b < a => self.only_in_tree(b),
            (Ahead::Seq(a), Ahead::Seq(_) | Ahead::End) => self.only_in_wal(a),
            (Ahead::End, Ahead::Seq(b)) => self.only_in_tree(b),
        }
    }

    fn same(&mut self) -> Option<Met> {
        let (seq, bytes) = self.wal.next()?.ok()?;
        let (_, other) = self.tree.next()?.ok()?;
        let mut frames = frames_of(seq, &bytes);
        if bytes != other {
            self.tell(seq, "sled holds another record here than the write-ahead log");
            frames = frames.or_else(|_| frames_of(seq, &other));
        }
        Some(met(seq, frames))
    }

    fn only_in_wal(&mut self, seq: u64) -> Option<Met> {
        if self.last_in_tree.is_some_and(|last| seq < last) {
            self.tell(seq, "missing in sled; the write-ahead log has it");
        }
        let (_, bytes) = self.wal.next()?.ok()?;
        Some(met(seq, frames_of(seq, &bytes)))
    }

    fn only_in_tree(&mut self, seq: u64) -> Option<Met> {
        let (_, bytes) = self.tree.next()?.ok()?;
        let frames = frames_of(seq, &bytes);
        if frames.is_ok() {
            self.tell(seq, "missing in the write-ahead log; sled has it");
        }
        Some(met(seq, frames))
    }
}

fn met(seq: u64, frames: Result<Vec<u8>, Damage>) -> Met {
    frames.map_or_else(Met::Damage, |frames| Met::Sound { seq, frames })
}

impl Iterator for Both {
    type Item = Met;

    fn next(&mut self) -> Option<Self::Item> {
        self.ready.pop_front().or_else(|| self.step())
    }
}

/// What a copy has next.
enum Ahead {
    Seq(u64),
    Damage(Damage),
    End,
}

fn seq(side: &mut Peekable<Box<dyn Iterator<Item = Side>>>) -> Ahead {
    match side.next_if(Result::is_err) {
        Some(Err(damage)) => Ahead::Damage(damage),
        Some(Ok(_)) | None => match side.peek() {
            Some(Ok((seq, _))) => Ahead::Seq(*seq),
            Some(Err(_)) | None => Ahead::End,
        },
    }
}

fn side_of_the_wal(step: io::Result<Step>) -> Side {
    match step {
        Ok(Step::Record { bytes, .. }) => match Record::read(&bytes) {
            Ok(record) => Ok((record.seq, bytes)),
            Err(error) => Err(Damage { place: "write-ahead log".into(), what: error.to_string() }),
        },
        Ok(Step::Damage { at, what }) => Err(Damage { place: at.to_string(), what }),
        Err(error) => Err(Damage { place: "write-ahead log".into(), what: error.to_string() }),
    }
}

fn frames_of(seq: u64, bytes: &[u8]) -> Result<Vec<u8>, Damage> {
    super::log::frames(seq, bytes).map_err(Damage::from)
}
