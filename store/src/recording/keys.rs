//! The keys that travel with the sealed commits of an erasable store: each opens what one party has in one call, and
//! nothing else. Whoever was erased has none.
//!
//! They stand in sections named `keys`, version 1: the call (16 bytes), the number of the party's key (4), its key for
//! this call (32), one after another.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;
use callbox_events::schema::sealed::Sealed;

use super::write::Section;
use crate::erasable::CallKeys;
use crate::erasable::keys::Key;

/// The name of the sections.
pub const NAME: &str = "keys";

const VERSION: u16 = 1;
const ENTRY_BYTES: usize = 52;

/// A section is written once it has so many bytes.
const SECTION_BYTES: usize = ENTRY_BYTES * 16_384;

/// Gathers the keys of the calls that are written.
#[derive(Debug)]
pub struct Gathering {
    keys: Arc<dyn CallKeys>,
    /// Of calls that go on.
    given: HashSet<(CallId, u32)>,
    bytes: Vec<u8>,
}

impl Gathering {
    /// From these keys.
    pub fn new(keys: Arc<dyn CallKeys>) -> Self {
        Self { keys, given: HashSet::new(), bytes: Vec::new() }
    }

    /// Takes what opens a commit. Returns a section that is full.
    pub fn take(&mut self, stored: &StoredCommit, last: bool) -> io::Result<Option<Section>> {
        let Some(bytes) = &stored.sealed else { return Ok(None) };
        let sealed = Sealed::read(bytes).map_err(io::Error::other)?;
        let call = stored.commit.call;
        for party in &sealed.people {
            if self.given.insert((call, *party))
                && let Some(key) = self.keys.call_key(*party, call)?
            {
                self.bytes.extend_from_slice(call.as_bytes());
                self.bytes.extend_from_slice(&party.to_be_bytes());
                self.bytes.extend_from_slice(&key);
            }
        }
        if last {
            self.given.retain(|(one, _)| *one != call);
        }
        Ok(if self.bytes.len() >= SECTION_BYTES { self.rest() } else { None })
    }

    /// The section with what was taken since the last one.
    pub fn rest(&mut self) -> Option<Section> {
        let bytes = std::mem::take(&mut self.bytes);
        (!bytes.is_empty()).then(|| Section { name: NAME.into(), version: VERSION, bytes })
    }
}

/// The keys of a recording.
#[derive(Debug, Default)]
pub struct Carried(HashMap<(CallId, u32), Key>);

impl Carried {
    /// Takes in a section of keys; one of a later version is passed over.
    pub fn add(&mut self, section: &Section) {
        if section.version != VERSION {
            return;
        }
        for entry in section.bytes.chunks_exact(ENTRY_BYTES) {
            let parts = entry.split_first_chunk::<16>().and_then(|(call, rest)| {
                let (party, key) = rest.split_first_chunk::<4>()?;
                Some((CallId::from_bytes(*call), u32::from_be_bytes(*party), *key.first_chunk::<32>()?))
            });
            if let Some((call, party, key)) = parts {
                self.0.insert((call, party), key);
            }
        }
    }
}

impl CallKeys for Carried {
    fn call_key(&self, party: u32, call: CallId) -> io::Result<Option<Key>> {
        Ok(self.0.get(&(call, party)).copied())
    }
}
