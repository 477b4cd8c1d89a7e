//! Which calls an export is about, and how it walks over them.

use std::collections::BTreeSet;

use callbox_events::CallId;
use callbox_events::schema::StoredCommit;
use callbox_store::{JournalReader, ReadError};

use super::call::Call;
use crate::failure::Failure;
use crate::filter::Filter;
use crate::progress::Progress;
use crate::scan::Scan;
use crate::selector;

/// The calls that were asked for: those named, or all, that pass the filters.
pub struct Selection<'a> {
    reader: &'a dyn JournalReader,
    named: Vec<CallId>,
    filter: &'a Filter,
}

impl<'a> Selection<'a> {
    /// Resolves all names before anything is written.
    pub fn new(reader: &'a dyn JournalReader, names: &[String], filter: &'a Filter) -> Result<Self, Failure> {
        let named: Result<Vec<CallId>, Failure> =
            names.iter().map(|name| selector::id(reader, name)).collect();
        let mut named = named?;
        let mut seen = BTreeSet::new();
        named.retain(|call| seen.insert(*call));
        Ok(Self { reader, named, filter })
    }

    /// Every call of the journal?
    pub fn is_all(&self) -> bool {
        self.named.is_empty() && self.filter.takes_all()
    }

    /// The calls, each whole, one at a time.
    pub fn calls(&self) -> Result<impl Iterator<Item = Result<Call, ReadError>> + '_, ReadError> {
        let commits: Box<dyn Iterator<Item = Result<Vec<StoredCommit>, ReadError>> + '_> =
            if self.named.is_empty() {
                Box::new(Scan::of(self.reader, Progress::events(self.reader.tail()?.seq()))?)
            } else {
                Box::new(self.named.iter().map(|call| self.reader.read(*call)))
            };
        Ok(commits.filter_map(|commits| match commits {
            Ok(commits) => Call::of(commits).filter(|call| self.filter.takes(&call.summary)).map(Ok),
            Err(error) => Some(Err(error)),
        }))
    }

    /// The ids of the calls: 16 bytes each are held, and nothing if all were asked for.
    pub fn chosen(&self) -> Result<Chosen, ReadError> {
        if self.is_all() {
            return Ok(Chosen::All);
        }
        let ids: Result<Vec<CallId>, ReadError> =
            self.calls()?.map(|call| call.map(|call| call.summary.call_id)).collect();
        let mut ids = ids?;
        ids.sort_unstable();
        Ok(Chosen::These(ids))
    }
}

/// What a first walk chose.
pub enum Chosen {
    /// Every call.
    All,
    /// These, in order.
    These(Vec<CallId>),
}

impl Chosen {
    /// Whether it holds this call.
    pub fn has(&self, call: CallId) -> bool {
        match self {
            Self::All => true,
            Self::These(ids) => ids.binary_search(&call).is_ok(),
        }
    }
}
