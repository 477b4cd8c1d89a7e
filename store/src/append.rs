//! The answer to an append: a future that resolves when the commit is durable.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::channel::oneshot;

use crate::error::AppendError;
use crate::journal::Position;

type Outcome = Result<Position, AppendError>;

/// Resolves when the outcome of an append is known: with its [`Position`] once it is durable.
///
/// Dropping it doesn't take the append back. If the journal dies without an answer it resolves to
/// [`AppendError::Unknown`].
#[derive(Debug)]
#[must_use = "nothing may be acted upon before the append has resolved"]
pub struct Append(State);

#[derive(Debug)]
enum State {
    Known(Option<Outcome>),
    Waiting(oneshot::Receiver<Outcome>),
}

/// The journal's end of an [`Append`].
#[derive(Debug)]
pub struct Ack(oneshot::Sender<Outcome>);

impl Append {
    /// An append whose outcome comes later.
    pub fn pending() -> (Ack, Self) {
        let (sender, receiver) = oneshot::channel();
        (Ack(sender), Self(State::Waiting(receiver)))
    }

    /// An append whose outcome is known already.
    pub fn known(outcome: Outcome) -> Self {
        Self(State::Known(Some(outcome)))
    }

    /// Blocks the thread until the outcome is known. Not for use inside an async runtime.
    ///
    /// # Errors
    /// The append's own.
    pub fn wait(self) -> Outcome {
        futures::executor::block_on(self)
    }
}

impl Future for Append {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        match &mut self.0 {
            State::Known(outcome) => Poll::Ready(outcome.take().unwrap_or(Err(AppendError::Unknown))),
            State::Waiting(receiver) => {
                Pin::new(receiver).poll(context).map(|answer| answer.unwrap_or(Err(AppendError::Unknown)))
            }
        }
    }
}

impl Ack {
    /// Tells the outcome. Nobody listening any more is no error.
    pub fn resolve(self, outcome: Outcome) {
        let _ = self.0.send(outcome);
    }
}
