//! Redaction: personal data replaced by stable pseudonyms, before any format sees a call.
//!
//! A [`Redactor`] turns commits into commits: numbers, or also names, hosts and addresses, are replaced in the recorded
//! values and in the SIP messages. The same datum gives the same pseudonym wherever it stands, in one export and in every
//! export made with the same key, so calls can still be counted, joined and judged; verdicts stay what they were.
//!
//! - [`pseudonym`] makes the replacements, keyed by HMAC-SHA-256.
//! - [`known`] remembers what of a call is personal, so that it is found outside of its usual places too.
//! - [`text`] rewrites texts, [`uri`] what stands in addresses, [`message`] SIP messages, [`sdp`] session descriptions,
//!   [`commit`] recorded values.
//!
//! What is replaced at `numbers`: user parts that are numbers, tel URIs, digits in display names, every run of seven or
//! more digits wherever it stands, and every number of the call in any other place. At `all` also: user parts, display
//! names, hosts, IP addresses, device ids. At both levels headers that carry identities in encoded form (Identity,
//! User-to-User, ...) and bodies that are no session description are left out of messages.
//!
//! What it does not do: times, durations, order and sizes stay, and may identify a call to somebody who knows of it
//! otherwise.

pub mod commit;
pub mod key;
pub mod known;
pub mod message;
pub mod pseudonym;
mod sdp;
mod text;
mod uri;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use callbox_events::CallId;
use callbox_events::call::EventKind;
use callbox_events::schema::{self, StoredCommit};
use callbox_store::{JournalReader, ReadError, chain};

use crate::exit_code::ExitCode;
use crate::export::call::Call;
use crate::failure::Failure;
use key::Key;
use known::Known;
use pseudonym::Pseudonyms;

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

impl Level {
    /// The word of the command line.
    pub fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Numbers => "numbers",
            Self::All => "all",
        }
    }
}

/// Replaces personal data.
pub struct Redactor {
    level: Level,
    key: Key,
    pseudonyms: Pseudonyms,
}

/// What one call's commits are rewritten with.
pub struct Scope<'a> {
    all: bool,
    pseudonyms: &'a Pseudonyms,
    known: Known,
}

impl Redactor {
    /// With this key; none for [`Level::None`], which needs no redactor.
    pub fn new(level: Level, key: Key) -> Option<Self> {
        let pseudonyms = Pseudonyms::new(&key);
        (level != Level::None).then_some(Self { level, key, pseudonyms })
    }

    /// How much it replaces.
    pub fn level(&self) -> Level {
        self.level
    }

    /// A whole call, judged again.
    pub fn call(&self, call: &Call) -> Result<Call, Failure> {
        let mut state = Redacted::begin(self, &call.commits)?;
        let commits: Result<Vec<StoredCommit>, Failure> =
            call.commits.iter().map(|stored| state.next(self, stored).map(|(commit, _)| commit)).collect();
        let id = call.summary.call_id;
        Call::of(commits?).ok_or_else(|| failed(id, "its beginning was lost"))
    }
}

fn failed(call: CallId, why: &str) -> Failure {
    Failure::new(ExitCode::Failure, "redaction", format!("call {call} could not be redacted: {why}"))
        .hint("nothing was written; leave the call out, or report this as a fault of callbox")
}

/// A call while its commits are rewritten one after another.
struct Redacted<'a> {
    scope: Scope<'a>,
    /// Of the redacted commits.
    link: chain::Link,
}

impl<'a> Redacted<'a> {
    /// Looks through all of the call once: what is personal anywhere is replaced everywhere.
    fn begin(redactor: &'a Redactor, commits: &[StoredCommit]) -> Result<Self, Failure> {
        let all = redactor.level == Level::All;
        let mut scope = Scope { all, pseudonyms: &redactor.pseudonyms, known: Known::learning() };
        for stored in commits {
            commit::redact(&mut scope, &stored.commit).map_err(|error| failed(stored.commit.call, &error))?;
        }
        scope.known.learned();
        Ok(Self { scope, link: chain::START })
    }

    /// The next commit, under the chain of the redacted ones, and the commitment to its original.
    fn next(
        &mut self,
        redactor: &Redactor,
        stored: &StoredCommit,
    ) -> Result<(StoredCommit, [u8; 32]), Failure> {
        let call = stored.commit.call;
        let encode = |commit| schema::encode(commit).map_err(|error| failed(call, &error.to_string()));
        let commitment = redactor.key.commitment(stored, &encode(&stored.commit)?);
        let commit = commit::redact(&mut self.scope, &stored.commit).map_err(|error| failed(call, &error))?;
        self.link = chain::link(&self.link, &encode(&commit)?);
        Ok((StoredCommit { seq: stored.seq, hash: self.link, commit }, commitment))
    }
}

/// Rewrites commits of many calls in the order of the journal. Holds what it knows of those that are not over.
pub struct Redacting<'a> {
    redactor: &'a Redactor,
    reader: &'a dyn JournalReader,
    open: HashMap<CallId, Redacted<'a>>,
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
        let redacted = state.next(self.redactor, stored)?;
        if !stored.commit.events.iter().any(|happened| happened.event.kind() == EventKind::Released) {
            self.open.insert(call, state);
        }
        Ok(redacted)
    }

    /// The state before this commit, which is the first one that is seen of its call, or one that came after its end.
    fn catch_up(&self, stored: &StoredCommit) -> Result<Redacted<'a>, Failure> {
        let commits = match self.reader.read(stored.commit.call) {
            Ok(commits) => commits,
            // A damaged call: what is left of it is looked at by itself.
            Err(ReadError::Corrupt { .. }) => vec![stored.clone()],
            Err(error) => return Err(error.into()),
        };
        let mut state = Redacted::begin(self.redactor, &commits)?;
        for before in commits.iter().filter(|before| before.seq < stored.seq) {
            state.next(self.redactor, before)?;
        }
        Ok(state)
    }
}
