//! The front door: one engine, from any runtime or none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use callbox_events::CallId;
use callbox_events::call::{Command, Hangup, Note, Outcome};
use callbox_events::sip::Peer;
use callbox_events::verdict::{Why, why};
use callbox_events::view::CallSummary;
use callbox_sip::redact::Concealer;
use callbox_store::sled::{Options, SledJournal};
use callbox_store::{CloseError, Cursor, Journal};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;

use crate::actor::{Running, Work, start};
use crate::call_handle::PlaceCall;
use crate::config::Config;
use crate::core::is_sane;
use crate::error::{CommandError, OpenError, SubscribeError};
use crate::notification::Notifications;
use crate::recovery::unfinished;

/// A running engine. Its threads are its own; all methods may be called from any thread and any runtime.
///
/// Dropping it stops it at once and leaves live calls to the next engine on the same journal; [`Engine::close`] is the
/// graceful way.
pub struct Engine {
    config: Arc<Config>,
    journal: Arc<dyn Journal>,
    /// Whether the journal is ours to close.
    owns_journal: bool,
    running: Running,
    next_shard: AtomicUsize,
    /// Observed calls that were open when the journal was.
    watched: Vec<CallId>,
}

impl Engine {
    /// Opens the journal at `config.store`, recovers the calls that have no end, and begins to listen. Blocks until it
    /// does.
    ///
    /// # Errors
    /// [`OpenError`]: nothing is left running then.
    pub fn open(config: Config) -> Result<Self, OpenError> {
        check(&config)?;
        let options = Options {
            group_delay: config.group_delay,
            erasable: config.erasable,
            conceal: Some(Arc::new(Concealer)),
            signing_key: config.signing_key.clone(),
            checkpoint_interval: config.checkpoint_interval,
            retention: config.retention,
            volume_bytes: config.volume_bytes,
            volume_age: config.volume_age,
            ..Options::default()
        };
        let journal = SledJournal::open(&config.store, options)?;
        Self::start(config, Arc::new(journal), true)
    }

    /// The same on a journal that is open already. Two engines may share one if their `config.node` differs. The journal
    /// stays open when the engine closes.
    ///
    /// # Errors
    /// [`OpenError`]: nothing is left running then.
    pub fn open_with(config: Config, journal: Arc<dyn Journal>) -> Result<Self, OpenError> {
        check(&config)?;
        Self::start(config, journal, false)
    }

    fn start(config: Config, journal: Arc<dyn Journal>, owns_journal: bool) -> Result<Self, OpenError> {
        let left = unfinished(journal.as_ref(), &config.node)?;
        let config = Arc::new(config);
        let running = start(Arc::clone(&config), Arc::clone(&journal), left.own)?;
        let next_shard = AtomicUsize::new(0);
        Ok(Self { config, journal, owns_journal, running, next_shard, watched: left.watched })
    }

    /// Places a call. Resolves when it is durable; the INVITE leaves after that.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn call(&self, place: PlaceCall) -> Result<CallId, CommandError> {
        let shards = &self.running.shards;
        let turn = self.next_shard.fetch_add(1, Ordering::Relaxed) % shards.len().max(1);
        let shard = shards.get(turn).ok_or(CommandError::Closed)?;
        let (reply, answer) = oneshot::channel();
        shard.try_send(Work::Place { place: Box::new(place), reply }).map_err(|error| match error {
            TrySendError::Full(_) => CommandError::Overloaded,
            TrySendError::Closed(_) => CommandError::Closed,
        })?;
        answer.await.unwrap_or(Err(CommandError::Closed))
    }

    /// Tells the caller that it rings (180).
    ///
    /// # Errors
    /// [`CommandError`]; a phase in which it is not possible is no error but [`Outcome::Refused`].
    pub async fn ring(&self, call: CallId) -> Result<Outcome, CommandError> {
        self.command(call, Command::Ring).await
    }

    /// Answers (200).
    ///
    /// # Errors
    /// [`CommandError`]; a phase in which it is not possible is no error but [`Outcome::Refused`].
    pub async fn accept(&self, call: CallId) -> Result<Outcome, CommandError> {
        self.command(call, Command::Accept).await
    }

    /// Ends the call, whatever its phase: rejects, cancels or hangs up. Idempotent.
    ///
    /// # Errors
    /// [`CommandError`]; [`CommandError::Invalid`] for a status outside 300 to 699.
    pub async fn hangup(&self, call: CallId, hangup: Hangup) -> Result<Outcome, CommandError> {
        self.command(call, Command::Hangup(hangup)).await
    }

    /// Puts the other side on hold.
    ///
    /// # Errors
    /// [`CommandError`]; a phase in which it is not possible is no error but [`Outcome::Refused`].
    pub async fn hold(&self, call: CallId) -> Result<Outcome, CommandError> {
        self.command(call, Command::Hold).await
    }

    /// Takes the other side back.
    ///
    /// # Errors
    /// [`CommandError`]; a phase in which it is not possible is no error but [`Outcome::Refused`].
    pub async fn resume(&self, call: CallId) -> Result<Outcome, CommandError> {
        self.command(call, Command::Resume).await
    }

    /// Sends the caller elsewhere (302).
    ///
    /// # Errors
    /// [`CommandError`]; a phase in which it is not possible is no error but [`Outcome::Refused`].
    pub async fn divert(&self, call: CallId, to: String) -> Result<Outcome, CommandError> {
        self.command(call, Command::Divert { to }).await
    }

    /// Puts on record what the application heard: a tone, what answered. The verdict makes use of it.
    ///
    /// # Errors
    /// [`CommandError`]; for a call that is over it is no error but [`Outcome::Refused`].
    pub async fn note(&self, call: CallId, note: Note) -> Result<Outcome, CommandError> {
        self.command(call, Command::Note(note)).await
    }

    /// Gives any command but [`Command::Place`]; resolves when it is durable.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn command(&self, call: CallId, command: Command) -> Result<Outcome, CommandError> {
        is_sane(&command).map_err(|(what, why)| CommandError::Invalid { what, why })?;
        for shard in &self.running.shards {
            let (reply, answer) = oneshot::channel();
            let work = Work::Command { call, command: command.clone(), reply };
            // Waits where placing a call would be refused: commands make ends.
            shard.send(work).await.map_err(|_| CommandError::Closed)?;
            match answer.await {
                Ok(Err(CommandError::NotFound(_))) => {}
                Ok(outcome) => return outcome,
                // The call was released while the command waited for it.
                Err(_) => break,
            }
        }
        self.over(call, &command)
    }

    /// What a command for a call is told that does not live here: it is over, or there was none.
    fn over(&self, call: CallId, command: &Command) -> Result<Outcome, CommandError> {
        let stored = self.journal.read(call).map_err(|error| CommandError::Journal(error.to_string()))?;
        match stored.first() {
            Some(first) if first.commit.node == self.config.node => Ok(match command {
                Command::Hangup(_) => Outcome::AlreadyEnded,
                Command::Place(_)
                | Command::Ring
                | Command::Accept
                | Command::Hold
                | Command::Resume
                | Command::Divert { .. }
                | Command::Note(_) => Outcome::Refused,
            }),
            Some(_) | None => Err(CommandError::NotFound(call)),
        }
    }

    /// The notifications from the one with global sequence number `from_seq` on: those that were and those that come.
    ///
    /// # Errors
    /// [`SubscribeError`].
    pub fn subscribe(&self, from_seq: u64) -> Result<Notifications, SubscribeError> {
        let commits = self.journal.subscribe(Cursor::at(from_seq))?;
        Ok(Notifications::new(commits, self.config.node.clone(), from_seq))
    }

    /// The calls that are not released yet, in the order of their ids.
    pub async fn calls(&self) -> Vec<CallSummary> {
        let mut calls = Vec::new();
        for shard in &self.running.shards {
            let (reply, answer) = oneshot::channel();
            if shard.send(Work::Summaries { reply }).await.is_ok() {
                calls.extend(answer.await.unwrap_or_default());
            }
        }
        calls.sort_unstable_by_key(|call| call.call_id);
        calls
    }

    /// Why a call ended, or that it lives: judged now from its durable record.
    ///
    /// # Errors
    /// [`CommandError::NotFound`]; [`CommandError::Journal`] if its record can't be read.
    pub fn why(&self, call: CallId) -> Result<Why, CommandError> {
        let stored = self.journal.read(call).map_err(|error| CommandError::Journal(error.to_string()))?;
        why(stored.iter().map(|stored| &stored.commit)).ok_or(CommandError::NotFound(call))
    }

    /// Where it listens, with the real ports.
    #[must_use]
    pub fn listening(&self) -> &[Peer] {
        &self.running.listening
    }

    /// The observed calls that had no end in the journal when it was opened. They are nobody's: an engine does not go on
    /// with them, another observer may.
    #[must_use]
    pub fn left_watched(&self) -> &[CallId] {
        &self.watched
    }

    /// The journal it writes to.
    #[must_use]
    pub fn journal(&self) -> &Arc<dyn Journal> {
        &self.journal
    }

    /// The name of its node, as in every commit.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.config.node
    }

    /// Refuses new calls, ends or keeps the live ones by [`Config::shutdown`], writes what waits and stops all threads.
    ///
    /// # Errors
    /// [`CloseError`] if the journal could not write all that waited. The threads are gone all the same.
    pub async fn close(mut self) -> Result<(), CloseError> {
        let mut answers = Vec::new();
        for shard in &self.running.shards {
            let (reply, answer) = oneshot::channel();
            if shard.send(Work::Close { reply }).await.is_ok() {
                answers.push(answer);
            }
        }
        for answer in answers {
            let _ = answer.await;
        }
        self.running.stop().await;
        if self.owns_journal { self.journal.close() } else { Ok(()) }
    }
}

/// What can be seen to be wrong before anything is started.
fn check(config: &Config) -> Result<(), OpenError> {
    if config.listen.is_empty() {
        return Err(OpenError::Config("it names no address to listen on".into()));
    }
    if config.node.is_empty() {
        return Err(OpenError::Config("the node has no name".into()));
    }
    if config.max_calls == 0 {
        return Err(OpenError::Config("max_calls is 0: no call could ever be".into()));
    }
    Ok(())
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("node", &self.config.node)
            .field("listening", &self.running.listening)
            .finish_non_exhaustive()
    }
}
