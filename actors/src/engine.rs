//! The front door: one engine, from any runtime or none.

use std::sync::Arc;

use callbox_events::CallId;
use callbox_events::call::{Command, Hangup, Outcome};
use callbox_events::sip::Peer;
use callbox_events::verdict::{Why, why};
use callbox_events::view::CallSummary;
use callbox_store::{Cursor, Journal};

use crate::call_handle::PlaceCall;
use crate::config::Config;
use crate::error::{CommandError, OpenError, SubscribeError};
use crate::notification::Notifications;

/// A running engine. Its threads are its own; all methods may be called from any thread and any runtime.
///
/// Dropping it stops it at once and leaves live calls to the next engine on the same journal; [`Engine::close`] is the
/// graceful way.
pub struct Engine {
    config: Config,
    journal: Arc<dyn Journal>,
    listening: Vec<Peer>,
}

impl Engine {
    /// Opens the journal at `config.store`, recovers the calls that have no end, and begins to listen. Blocks until it
    /// does.
    ///
    /// # Errors
    /// [`OpenError`]: nothing is left running then.
    pub fn open(config: Config) -> Result<Self, OpenError> {
        let _ = config;
        Err(OpenError::Thread("not yet".into()))
    }

    /// The same on a journal that is open already. Two engines may share one if their `config.node` differs. The journal
    /// stays open when the engine closes.
    ///
    /// # Errors
    /// [`OpenError`]: nothing is left running then.
    pub fn open_with(config: Config, journal: Arc<dyn Journal>) -> Result<Self, OpenError> {
        let listening = config.listen.clone();
        Ok(Self { config, journal, listening })
    }

    /// Places a call. Resolves when it is durable; the INVITE leaves after that.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn call(&self, place: PlaceCall) -> Result<CallId, CommandError> {
        let _ = place;
        Err(CommandError::Closed)
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

    /// Gives any command but [`Command::Place`]; resolves when it is durable.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn command(&self, call: CallId, command: Command) -> Result<Outcome, CommandError> {
        let _ = command;
        Err(CommandError::NotFound(call))
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
        Vec::new()
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
        &self.listening
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
    pub async fn close(self) {}
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("node", &self.config.node)
            .field("listening", &self.listening)
            .finish_non_exhaustive()
    }
}
