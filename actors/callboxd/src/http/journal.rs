//! `POST /v1/journal`: the journal as its own process serves it to readers beside it, for readers elsewhere
//! (`callbox --url`).
//!
//! The body is one question of the live protocol (`callbox_store::live`), the answer its answer, byte for byte, from the
//! socket in the store's directory. So there is one server of the journal, and what it learns to answer can be asked from
//! afar at once. An answer holds one piece in memory and is read at the client's pace; a client that leaves ends it. How an
//! answer ends is told within it: one without its last message broke off. Questions that change something are refused.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Bytes, Data, Payload};
use bytes::BytesMut;
use callbox_store::live;
use callbox_store::live::protocol::{GREETING, MAX_QUESTION, NotUnderstood, Request, VERSION};
use futures::{Stream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::error::ApiError;
use super::{Context, calls};

/// Bytes of one piece.
const PIECE: usize = 32 * 1024;

/// Answers under way at once. Together with [`FOLLOWED`] they leave some of the socket's 64 to readers on this machine.
const READ: usize = 24;

/// Answers at once that go on until the journal is closed. Counted apart, so that whoever follows can read what is new.
const FOLLOWED: usize = 24;

/// The journal's process is this one: it greets at once, or something is wrong.
const PATIENCE: Duration = Duration::from_secs(5);

/// The way to the journal's socket, and how many are on it.
#[derive(Debug)]
pub struct Gateway {
    store: PathBuf,
    read: Arc<Semaphore>,
    followed: Arc<Semaphore>,
}

impl Gateway {
    /// To the journal in `store`.
    pub fn new(store: &Path) -> Self {
        let places = |number| Arc::new(Semaphore::new(number));
        Self { store: store.to_owned(), read: places(READ), followed: places(FOLLOWED) }
    }

    fn enter(&self, request: Request) -> Result<OwnedSemaphorePermit, ApiError> {
        let places = if request.follows() { &self.followed } else { &self.read };
        Arc::clone(places).try_acquire_owned().map_err(|_| crowded())
    }

    /// Asks, and waits for the greeting.
    async fn ask(&self, question: &[u8]) -> io::Result<(UnixStream, Bytes)> {
        let mut stream = UnixStream::connect(live::socket_path(&self.store)?).await?;
        stream.write_all(question).await?;
        // There will be no other question: so the answer's end is the connection's.
        stream.shutdown().await?;
        let mut greeting = [0; GREETING];
        stream.read_exact(&mut greeting).await?;
        Ok((stream, Bytes::copy_from_slice(&greeting)))
    }
}

/// Answers one question.
pub async fn answer(context: Data<Context>, payload: Payload) -> Result<HttpResponse, ApiError> {
    let question = calls::read_up_to(payload, MAX_QUESTION).await?;
    let request = Request::asked(&question).map_err(refused)?;
    if !request.reads() {
        return Err(ApiError::forbidden(
            "not_from_afar",
            "this can be asked on the engine's own machine only",
        ));
    }
    let place = context.journal.enter(request)?;
    let asked = timeout(PATIENCE, context.journal.ask(&question)).await;
    let (stream, greeting) = asked.unwrap_or_else(|late| Err(late.into())).map_err(|error| closed(&error))?;
    let greeting = futures::stream::iter([Ok(greeting)]);
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(greeting.chain(pieces(stream, place))))
}

/// The rest of the answer as it comes. Its place is free again when it ends or is dropped.
fn pieces(stream: UnixStream, place: OwnedSemaphorePermit) -> impl Stream<Item = io::Result<Bytes>> {
    futures::stream::try_unfold((stream, place), async |(mut stream, place)| {
        let mut piece = BytesMut::with_capacity(PIECE);
        let length = stream.read_buf(&mut piece).await?;
        Ok((length > 0).then(|| (piece.freeze(), (stream, place))))
    })
}

fn refused(error: NotUnderstood) -> ApiError {
    let (code, hint) = match error {
        NotUnderstood::Version { .. } => (
            "other_version",
            format!("this engine speaks version {VERSION}: use a callbox of the same version"),
        ),
        NotUnderstood::Request => {
            ("unknown_request", "the client is newer than this engine, or the body is damaged".into())
        }
        NotUnderstood::Foreign | NotUnderstood::Reply => (
            "not_a_question",
            "the body is one question of the journal's protocol, as `callbox --url` sends it".into(),
        ),
    };
    ApiError::bad_request(code, error.to_string()).hint(hint)
}

fn crowded() -> ApiError {
    ApiError::unavailable("too_many_readers", "too many clients read the journal")
        .hint("try again when one of them is done")
}

fn closed(error: &io::Error) -> ApiError {
    match error.kind() {
        // It was let in and turned away at once.
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            crowded()
        }
        _ => {
            tracing::debug!(%error, "the journal's socket does not answer");
            ApiError::unavailable("closed", "the journal is closed")
        }
    }
}
