//! Messages that were seen before: a copy is counted, the same message on another hop is no second message.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;

use smallvec::SmallVec;

use super::Sighting;
use crate::wire::Message;

/// One way between two addresses.
pub(super) type Hop = (SocketAddr, SocketAddr);

/// More hops of one message than this are not told apart.
const MOST_HOPS: usize = 6;

/// The messages of one call that were seen, by what makes them the same on every hop.
///
/// In two generations: when the younger one is full, the older one is forgotten. What comes again comes soon.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    younger: HashMap<u64, Hops>,
    older: HashMap<u64, Hops>,
}

#[derive(Debug, Clone, Default)]
struct Hops {
    hops: SmallVec<[Hop; 2]>,
    copies: u32,
}

/// What a message is to those seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Novelty {
    /// Not seen before.
    New,
    /// Seen on another hop.
    Relayed,
    /// Seen on this hop; how many copies of it came on the first one.
    Again(u32),
}

/// What makes a message the same on every hop of its way: not its Vias, its routes or its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64);

impl Identity {
    /// The identity of `message`; `extra` parts messages that are alike and mean different things.
    pub(super) fn of(message: &Message, extra: u32) -> Self {
        let (cseq, method) = message.cseq();
        let mut hash = DefaultHasher::new();
        (cseq, method.as_str(), message.from_tag(), message.status(), extra).hash(&mut hash);
        if message.status().is_some() {
            (message.to_tag(), message.rseq(), message.body.is_empty()).hash(&mut hash);
        } else if method.as_str() == "ACK" {
            message.to_tag().hash(&mut hash);
        }
        Self(hash.finish())
    }
}

impl Known {
    /// Takes a sighted message in, among `most` others.
    pub(super) fn take(&mut self, identity: Identity, sighting: &Sighting, most: usize) -> Novelty {
        let hop = (sighting.source, sighting.destination);
        let known = match self.younger.get_mut(&identity.0) {
            Some(known) => Some(known),
            None => self.older.get_mut(&identity.0),
        };
        if let Some(known) = known {
            if known.hops.contains(&hop) || known.hops.len() >= MOST_HOPS {
                known.copies += u32::from(known.hops.first() == Some(&hop));
                return Novelty::Again(known.copies);
            }
            known.hops.push(hop);
            return Novelty::Relayed;
        }
        if self.younger.len() >= most.div_ceil(2) {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(identity.0, Hops { hops: SmallVec::from_slice(&[hop]), copies: 0 });
        Novelty::New
    }
}
