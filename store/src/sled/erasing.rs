//! Erasing a party while the journal is written: under a checkpoint of its own, and not while a call of the party goes on.

use std::sync::Arc;

use super::store::Store;
use crate::erasable::Erasable;
use crate::erasable::erase::{EraseError, Order, destroy};
use crate::error::ReadError;
use crate::live::Eraser;
use crate::proof::key::SigningKey;
use crate::seal::Seals;

/// Erases parties of a store that is being written.
pub struct Erasing {
    pub erasable: Arc<Erasable>,
    pub store: Arc<Store>,
    pub seals: Option<Arc<Seals>>,
    pub key: Option<Arc<SigningKey>>,
}

impl Eraser for Erasing {
    fn erase(&self, party: u32, calls: u64, commits: u64) -> Result<String, ReadError> {
        let refused = |error: EraseError| ReadError::Unavailable { why: error.to_string() };
        if self.erasable.is_alive(party) {
            return Err(refused(EraseError::Alive(party)));
        }
        let events = self.store.durable();
        if let Some(seals) = &self.seals {
            seals.checkpoint(events);
        }
        let order = Order { party, calls, commits, events };
        let kept = destroy(&self.store.dir, &self.erasable.keys, order, self.key.as_deref());
        kept.map(|kept| kept.note.to_string()).map_err(refused)
    }
}
