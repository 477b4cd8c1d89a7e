//! Redaction: personal data replaced by stable pseudonyms, before any format sees a call.
//!
//! A [`Redactor`] turns commits into commits: numbers, or also names, hosts and addresses, are replaced in the recorded
//! values and in the SIP messages ([`callbox_sip::redact`] says which). The same datum gives the same pseudonym wherever
//! it stands, in one export and in every export made with the same [`key`], so calls can still be counted, joined and
//! judged; verdicts stay what they were.

pub mod key;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;

use callbox_events::CallId;
use callbox_events::schema::{self, StoredCommit};
use callbox_sip::redact::pseudonym::Pseudonyms;
use callbox_sip::redact::{self, Key, Known, OneKey, Out, Scope, Sides, Whose};
use callbox_store::{JournalReader, ReadError, chain};

use crate::exit_code::ExitCode;
use crate::export::call::Call;
use crate::failure::Failure;

/// How much is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Level {
    /// Nothing.
    None,
    /// Telephone numbers.
    Numbers,
    /// Numbers, names, hosts and addresses.
    All,
}

/// Replaces personal data.
pub struct Redactor {
    level: redact::Level,
    key: Key,
    work: RefCell<Work>,
}

/// What every commit is rewritten with.
struct Work {
    scope: Scope<OneKey>,
    out: Out,
}

/// Pseudonyms do not depend on whose something is.
const EVERYBODY: Sides = Sides::all(Whose::NOBODY);

impl Redactor {
    /// With this key; none for [`Level::None`], which needs no redactor.
    pub fn new(level: Level, key: Key) -> Option<Self> {
        let level = match level {
            Level::None => return None,
            Level::Numbers => redact::Level::Numbers,
            Level::All => redact::Level::All,
        };
        let masks = OneKey::new(Pseudonyms::new(&key));
        let scope = Scope::new(level, masks, Whose::NOBODY);
        Some(Self { level, key, work: RefCell::new(Work { scope, out: Out::default() }) })
    }

    /// How much it replaces.
    pub fn level(&self) -> redact::Level {
        self.level
    }

    /// A whole call, judged again.
    pub fn call(&self, call: &Call) -> Result<Call, Failure> {
        let encoded: Vec<Vec<u8>> = call.commits.iter().map(encode).collect::<Result<_, _>>()?;
        let mut link = chain::START;
        let rewritten = self.rewritten(call.summary.call_id, &encoded)?;
        let redacted = call.commits.iter().zip(&rewritten).map(|(stored, bytes)| {
            let id = stored.commit.call;
            let commit = schema::decode(bytes).map_err(|error| failed(id, &error.to_string()))?;
            link = chain::link(&link, bytes);
            Ok(StoredCommit::plain(stored.seq, link, commit))
        });
        let commits: Vec<StoredCommit> = redacted.collect::<Result<_, Failure>>()?;
        Call::of(commits).ok_or_else(|| failed(call.summary.call_id, "its beginning was lost"))
    }

    /// All commits of a call. Most of what is personal is learned from the first one; whatever later ones add makes a
    /// second round necessary.
    fn rewritten(&self, call: CallId, commits: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Failure> {
        let Work { scope, out } = &mut *self.work.borrow_mut();
        scope.known = Known::learning();
        let mut rewritten = Vec::with_capacity(commits.len());
        for round in commits.iter().take(1).map(std::slice::from_ref).chain([commits, commits]) {
            rewritten.clear();
            scope.known.has_grown();
            for encoded in round {
                out.clear();
                scope.commit(encoded, EVERYBODY, out).map_err(|error| failed(call, &error))?;
                rewritten.push(out.bytes.clone());
            }
            if !scope.known.has_grown() && rewritten.len() == commits.len() {
                break;
            }
        }
        Ok(rewritten)
    }
}

fn encode(stored: &StoredCommit) -> Result<Vec<u8>, Failure> {
    schema::encode(&stored.commit).map_err(|error| failed(stored.commit.call, &error.to_string()))
}

fn failed(call: CallId, why: &str) -> Failure {
    Failure::new(ExitCode::Failure, "redaction", format!("call {call} could not be redacted: {why}"))
        .hint("nothing was written; leave the call out, or report this as a fault of callbox")
}

/// A call while its commits are rewritten one after another.
struct Redacted {
    known: Known,
    /// Of the redacted commits.
    link: chain::Link,
}

impl Redacted {
    /// Looks through all of the call once: what is personal anywhere is replaced everywhere.
    fn begin(redactor: &Redactor, call: CallId, commits: &[Vec<u8>]) -> Result<Self, Failure> {
        let Work { scope, out } = &mut *redactor.work.borrow_mut();
        scope.known = Known::learning();
        for encoded in commits {
            out.clear();
            scope.commit(encoded, EVERYBODY, out).map_err(|error| failed(call, &error))?;
        }
        let mut known = std::mem::take(&mut scope.known);
        known.learned();
        Ok(Self { known, link: chain::START })
    }

    /// The next commit, under the chain of the redacted ones.
    fn next(
        &mut self,
        redactor: &Redactor,
        stored: &StoredCommit,
        encoded: &[u8],
    ) -> Result<StoredCommit, Failure> {
        let call = stored.commit.call;
        let Work { scope, out } = &mut *redactor.work.borrow_mut();
        std::mem::swap(&mut scope.known, &mut self.known);
        out.clear();
        let written = scope.commit(encoded, EVERYBODY, out);
        std::mem::swap(&mut scope.known, &mut self.known);
        written.map_err(|error| failed(call, &error))?;
        let commit = schema::decode(&out.bytes).map_err(|error| failed(call, &error.to_string()))?;
        self.link = chain::link(&self.link, &out.bytes);
        Ok(StoredCommit::plain(stored.seq, self.link, commit))
    }
}

/// Rewrites commits of many calls in the order of the journal. Holds what it knows of those that are not over.
pub struct Redacting<'a> {
    redactor: &'a Redactor,
    reader: &'a dyn JournalReader,
    open: HashMap<CallId, Redacted>,
}

impl<'a> Redacting<'a> {
    /// Looks calls up in `reader` when they begin.
    pub fn new(redactor: &'a Redactor, reader: &'a dyn JournalReader) -> Self {
        Self { redactor, reader, open: HashMap::new() }
    }

    /// The commit, and the commitment to its original.
    pub fn commit(&mut self, stored: &StoredCommit) -> Result<(StoredCommit, [u8; 32]), Failure> {
        let call = stored.commit.call;
        let mut state = match self.open.remove(&call) {
            Some(state) => state,
            None => self.catch_up(stored)?,
        };
        let encoded = encode(stored)?;
        let redacted = state.next(self.redactor, stored, &encoded)?;
        if !stored.commit.releases() {
            self.open.insert(call, state);
        }
        Ok((redacted, key::commitment(&self.redactor.key, stored, &encoded)))
    }

    /// The state before this commit, which is the first one that is seen of its call, or one that came after its end.
    fn catch_up(&self, stored: &StoredCommit) -> Result<Redacted, Failure> {
        let commits = match self.reader.read(stored.commit.call) {
            Ok(commits) => commits,
            // A damaged call: what is left of it is looked at by itself.
            Err(ReadError::Corrupt { .. }) => vec![stored.clone()],
            Err(error) => return Err(error.into()),
        };
        let encoded: Vec<Vec<u8>> = commits.iter().map(encode).collect::<Result<_, _>>()?;
        let mut state = Redacted::begin(self.redactor, stored.commit.call, &encoded)?;
        for (before, encoded) in commits.iter().zip(&encoded).filter(|(before, _)| before.seq < stored.seq) {
            state.next(self.redactor, before, encoded)?;
        }
        Ok(state)
    }
}
