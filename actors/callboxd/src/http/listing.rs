//! `GET /v1/calls`: a list of any length in bounded memory. A thread reads the journal and hands the array over in
//! pieces; a client that does not read makes it wait, one that leaves ends it.

use std::sync::Arc;

use actix_web::web::Bytes;
use callbox::CallId;
use callbox_events::view::{self, CallSummary};
use callbox_store::{Journal, ReadError};
use futures::Stream;
use tokio::sync::mpsc;

use super::error::ApiError;

/// Bytes of one piece.
const PIECE: usize = 32 * 1024;

/// Pieces that may wait for the client.
const WAITING: usize = 4;

/// Which calls are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    state: State,
    limit: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    Live,
    Ended,
    #[default]
    All,
}

impl Filter {
    /// Reads the query.
    ///
    /// # Errors
    /// 400 `invalid_query`.
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        let mut filter = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("state", "live")) => filter.state = State::Live,
                Some(("state", "ended")) => filter.state = State::Ended,
                Some(("state", "all")) => filter.state = State::All,
                Some(("limit", number)) => filter.limit = Some(number.parse().map_err(|_| invalid())?),
                Some(_) | None => return Err(invalid()),
            }
        }
        Ok(filter)
    }

    /// Whether the engine's own list suffices.
    pub fn only_live(self) -> bool {
        self.state == State::Live
    }

    /// The wanted ones of the engine's calls; the newest if there are too many.
    pub fn of_live(self, calls: Vec<CallSummary>) -> Vec<CallSummary> {
        let mut live: Vec<_> = calls.into_iter().filter(|call| self.wants(call)).collect();
        live.drain(..live.len().saturating_sub(self.limit.unwrap_or(usize::MAX)));
        live
    }

    fn wants(self, call: &CallSummary) -> bool {
        match self.state {
            State::Live => call.is_live(),
            State::Ended => !call.is_live(),
            State::All => true,
        }
    }
}

fn invalid() -> ApiError {
    ApiError::bad_request("invalid_query", "the query is not understood")
        .hint("state=live, state=ended or state=all, and limit=N for the newest N")
}

/// The list as a JSON array in pieces, oldest call first.
///
/// # Errors
/// If the journal can't be read. Damage met later breaks the body off: half an array is no JSON.
pub fn stream(
    journal: Arc<dyn Journal>,
    filter: Filter,
) -> Result<impl Stream<Item = Result<Bytes, ReadError>> + use<>, ApiError> {
    let ids = journal.calls()?.collect::<Result<Vec<CallId>, _>>()?;
    let (sender, pieces) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = write(journal.as_ref(), ids, filter, &sender) {
            // A client that left needs no word of it.
            let _ = sender.blocking_send(Err(error));
        }
    });
    Ok(futures::stream::unfold(pieces, async |mut pieces| pieces.recv().await.map(|piece| (piece, pieces))))
}

fn write(
    journal: &dyn Journal,
    ids: Vec<CallId>,
    filter: Filter,
    sender: &mpsc::Sender<Result<Bytes, ReadError>>,
) -> Result<(), ReadError> {
    let first = first_wanted(journal, &ids, filter)?;
    let mut text = vec![b'['];
    for &id in ids.get(first..).unwrap_or_default() {
        let Some(call) = summary(journal, id)?.filter(|call| filter.wants(call)) else { continue };
        if text.last() == Some(&b'}') {
            text.push(b',');
        }
        // All keys are text and the target is memory: there is nothing that could fail.
        let _ = serde_json::to_writer(&mut text, &call);
        if text.len() >= PIECE {
            // The comma is kept back with the brace, so that it is known whether one must follow.
            let rest = text.split_off(text.len() - 1);
            if sender.blocking_send(Ok(std::mem::replace(&mut text, rest).into())).is_err() {
                return Ok(());
            }
        }
    }
    text.push(b']');
    let _ = sender.blocking_send(Ok(text.into()));
    Ok(())
}

/// Where in `ids` the newest wanted calls begin.
fn first_wanted(journal: &dyn Journal, ids: &[CallId], filter: Filter) -> Result<usize, ReadError> {
    let Some(mut missing) = filter.limit else { return Ok(0) };
    let mut first = ids.len();
    for (index, &id) in ids.iter().enumerate().rev() {
        if missing == 0 {
            break;
        }
        if filter.state == State::All || summary(journal, id)?.is_some_and(|call| filter.wants(&call)) {
            missing -= 1;
            first = index;
        }
    }
    Ok(first)
}

fn summary(journal: &dyn Journal, id: CallId) -> Result<Option<CallSummary>, ReadError> {
    let record = journal.read(id)?;
    Ok(view::summarise(record.iter().map(|stored| &stored.commit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_says_which_calls_are_wanted() {
        let filter = |state, limit| Filter { state, limit };
        for (query, wanted) in [
            ("", filter(State::All, None)),
            ("state=live", filter(State::Live, None)),
            ("state=ended&limit=5", filter(State::Ended, Some(5))),
            ("limit=1&state=all", filter(State::All, Some(1))),
        ] {
            assert_eq!(Filter::parse(query), Ok(wanted), "{query}");
        }
        for wrong in ["state=dead", "state", "limit=-1", "limit=x", "colour=red"] {
            assert!(Filter::parse(wrong).is_err(), "{wrong}");
        }
    }
}
