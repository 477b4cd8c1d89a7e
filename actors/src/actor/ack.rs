//! Waiting for the journal: the one future that holds a call's mailbox back.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};

use actix::{ActorFuture, Context};
use callbox_events::schema::Commit;
use callbox_store::{Append, AppendError, Expect, Position};

use super::call::CallActor;
use super::shard::Shard;
use crate::core::{CallCore, Fault, Stimulus};
use crate::error::CommandError;

/// How often a call is restored from its record before it is given up.
const MOST_FAULTS: u8 = 2;

/// A commit under way.
pub(super) struct InFlight {
    append: Append,
    /// The version that the call has once the commit is durable.
    version_after: u64,
}

impl InFlight {
    pub(super) fn append(shard: &Rc<Shard>, commit: Commit) -> Self {
        let version_after = commit.version + commit.events.len() as u64;
        let expect = Expect::of(&commit);
        shard.load.appended();
        Self { append: shard.journal.append(commit, expect), version_after }
    }
}

/// Waits for the ack, acts, and goes on with the next commit of the same stimulus until there is none.
pub(super) struct AwaitAck(pub(super) InFlight);

impl ActorFuture<CallActor> for AwaitAck {
    type Output = ();

    fn poll(
        mut self: Pin<&mut Self>,
        actor: &mut CallActor,
        context: &mut Context<CallActor>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        loop {
            let Poll::Ready(result) = Pin::new(&mut self.0.append).poll(task) else { return Poll::Pending };
            actor.shard.load.acknowledged();
            match actor.acknowledged(result, self.0.version_after, context) {
                Some(next) => self.0 = next,
                None => {
                    actor.settle(context);
                    return Poll::Ready(());
                }
            }
        }
    }
}

impl CallActor {
    fn acknowledged(
        &mut self,
        result: Result<Position, AppendError>,
        version_after: u64,
        context: &mut Context<Self>,
    ) -> Option<InFlight> {
        let error = match result {
            Ok(_) => return self.go_on(context),
            Err(error) => error,
        };
        match error {
            // Perhaps it was written after all: the call's head tells.
            AppendError::Unknown if self.is_durable(version_after) => self.go_on(context),
            AppendError::Unknown | AppendError::Overloaded | AppendError::TooLarge { .. } => {
                self.answer(Err(CommandError::Journal(error.to_string())));
                self.restore_after("storage", &error.to_string())
            }
            // A new call on a full disk: nothing of it has left. The journal says by itself when there is room again.
            AppendError::Full => self.give_up(CommandError::Journal(error.to_string())),
            AppendError::Unavailable { .. } => {
                if !self.shard.load.store_down.replace(true) {
                    tracing::error!(%error, hint = error.hint(), "the journal takes no commits: no new calls");
                }
                self.give_up(CommandError::Journal(error.to_string()))
            }
            AppendError::Conflict { .. } | AppendError::Malformed { .. } => {
                tracing::error!(call = %self.core.id(), %error, "a commit was refused: the call is left alone");
                self.give_up(CommandError::Internal)
            }
        }
    }

    fn is_durable(&self, version_after: u64) -> bool {
        let head = self.shard.journal.head(self.core.id());
        head.ok().flatten().is_some_and(|head| head.version == version_after)
    }

    /// This core can't go on. Its record can: the call is restored from there and ended.
    pub(super) fn restore(&mut self, fault: &Fault) -> Option<InFlight> {
        self.answer(Err(CommandError::Internal));
        self.restore_after("panic", &fault.to_string())
    }

    fn restore_after(&mut self, fault: &str, detail: &str) -> Option<InFlight> {
        tracing::error!(call = %self.core.id(), fault, detail, "a call failed inside");
        self.faults += 1;
        if self.faults > MOST_FAULTS {
            return self.give_up(CommandError::Internal);
        }
        let now = self.shard.now();
        let stored = self.shard.journal.read(self.core.id()).unwrap_or_default();
        let commits: Vec<Commit> = stored.into_iter().map(|stored| stored.commit).collect();
        match CallCore::restore(now, &commits, self.core.seat()) {
            Ok(core) => {
                self.core = core;
                let recovery = Stimulus::Recovery { fault: fault.into() };
                let step = self.core.handle(now, recovery, &mut *self.shard.ids.borrow_mut());
                self.follow(step)
            }
            Err(error) => {
                tracing::error!(call = %self.core.id(), %error, "it could not be restored");
                self.give_up(CommandError::Internal)
            }
        }
    }

    /// Nothing more can be recorded of this call, so nothing more is done. The next engine finds it without an end.
    fn give_up(&mut self, error: CommandError) -> Option<InFlight> {
        self.answer(Err(error));
        self.lost = true;
        None
    }
}
