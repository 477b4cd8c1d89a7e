//! Reading a sealed commit with the keys that are there.

use std::io;

use callbox_events::CallId;
use callbox_events::schema::sealed::{Boxed, Sealed};
use callbox_events::schema::{self, CodecError, StoredCommit};

use super::boxes::{self, Which, call_key, together};
use super::keys::{Key, Keys};
use crate::error::ReadError;

/// Keys for single calls.
pub trait CallKeys: std::fmt::Debug + Send + Sync {
    /// The key that the party with this number has for this call; `None` if it is not there any more.
    ///
    /// # Errors
    /// The system's.
    fn call_key(&self, party: u32, call: CallId) -> io::Result<Option<Key>>;
}

impl CallKeys for Keys {
    fn call_key(&self, party: u32, call: CallId) -> io::Result<Option<Key>> {
        Ok(self.key(party)?.map(|key| call_key(&key, call)))
    }
}

/// The commit with everything that these keys open; the rest stays as it is.
///
/// # Errors
/// [`ReadError`]: the keys can't be read, or what came out is no commit.
pub fn open(keys: &dyn CallKeys, stored: StoredCommit) -> Result<StoredCommit, ReadError> {
    let Some(payload) = &stored.sealed else { return Ok(stored) };
    let seq = stored.seq;
    let unreadable = |error: CodecError| ReadError::at_seq(seq, error.to_string());
    let sealed = Sealed::read(payload).map_err(unreadable)?;
    let unavailable =
        |error: io::Error| ReadError::Unavailable { why: format!("the keys can't be read: {error}") };
    let people = sealed.people.iter().map(|party| keys.call_key(*party, stored.commit.call));
    let people = people.collect::<io::Result<Vec<_>>>().map_err(unavailable)?;
    let contents: Vec<Option<Vec<u8>>> = (0..)
        .zip(sealed.boxes())
        .map(|(number, boxed)| content(boxed, &people, |whose| which(&stored, number, whose)))
        .collect();
    if contents.iter().zip(sealed.boxes()).all(|(content, boxed)| content.is_none() || boxed.whose == 0) {
        return Ok(stored);
    }
    let opened = sealed.opened(&contents).map_err(unreadable)?;
    let commit = schema::decode(&opened).map_err(unreadable)?;
    Ok(StoredCommit { commit, ..stored })
}

fn which(stored: &StoredCommit, number: u32, whose: u16) -> Which {
    Which { call: stored.commit.call, version: stored.commit.version, number, whose }
}

fn content(boxed: &Boxed<'_>, people: &[Option<Key>], which: impl Fn(u16) -> Which) -> Option<Vec<u8>> {
    if boxed.whose == 0 {
        return Some(boxed.bytes.to_vec());
    }
    let of = |bit: usize| people.get(bit).copied().flatten();
    let keys: Option<Vec<Key>> = (0..16).filter(|bit| boxed.whose & (1 << bit) != 0).map(of).collect();
    boxes::unlock(&together(&keys?)?, which(boxed.whose), boxed.bytes)
}
