//! Erasable journals: what is personal is kept encrypted under its party's own key, so that destroying the key destroys
//! it wherever it stands.
//!
//! One promise carries it: **encrypt, then hash**. Chain and tree cover what is stored, so after an erasure every
//! checksum, link, checkpoint and proof holds as before; what was somebody's is a pseudonym from then on.
//!
//! 1. A commit is appended: [`Sealer`] has its personal data found (by [`Conceal`], which knows SIP), puts pseudonyms in
//!    their place and the data into boxes that only the keys of their parties open ([`boxes`]).
//! 2. The keys stand in a file of their own ([`keys`]), which is synced before the log whenever it got a new one.
//! 3. A commit is read: `open` puts back what the keys that are there open.
//! 4. [`erase`] overwrites a key where it stands, and writes a [`receipt`].
//!
//! The layers below see sealed commits as commits with pseudonyms; [`opening`] is put over the outermost reader.

mod audit;
pub mod boxes;
pub mod erase;
pub mod keys;
mod open;
pub mod opening;
pub mod receipt;
mod sealer;

pub use audit::{Erasures, audit};
pub use keys::Keys;
pub use open::{CallKeys, open};
pub use sealer::Sealer;

use std::path::Path;
use std::sync::Arc;

#[allow(unused_imports, reason = "named in the documentation")]
use callbox_events::schema::sealed::Conceal;
use callbox_events::schema::{Commit, StoredCommit};

use crate::error::{AppendError, ReadError};
use crate::frame::Facts;
use crate::open_error::OpenError;
use crate::sled::Options;

/// An erasable store that is open for writing.
#[derive(Debug)]
pub(crate) struct Erasable {
    pub(crate) keys: Arc<Keys>,
    sealer: Option<Sealer>,
}

impl Erasable {
    /// `None` if the store is not erasable and is not to become so.
    pub(crate) fn open(store: &Path, options: &Options) -> Result<Option<Self>, OpenError> {
        let Some(keys) = Keys::writable(store, options.erasable)?.map(Arc::new) else { return Ok(None) };
        let conceal = options.conceal.as_ref();
        let sealer = conceal.map(|conceal| Sealer::new(Arc::clone(&keys), Arc::clone(conceal)));
        Ok(Some(Self { keys, sealer }))
    }

    /// Whether a call that goes on has to do with the party at this place.
    pub(crate) fn is_alive(&self, party: u32) -> bool {
        self.sealer.as_ref().is_some_and(|sealer| sealer.is_alive(party))
    }

    /// What is kept of a commit.
    pub(crate) fn seal(
        &self,
        commit: &Commit,
        facts: &Facts,
        encoded: &[u8],
        before: impl FnOnce() -> Result<Vec<StoredCommit>, ReadError>,
    ) -> Result<Vec<u8>, AppendError> {
        let why = || "the store is erasable, and this program does not know how to seal commits".to_owned();
        let sealer = self.sealer.as_ref().ok_or_else(|| AppendError::Unavailable { why: why() })?;
        sealer.seal(commit, facts, encoded, before)
    }
}
