//! `GET /v1/events?from=SEQ`: server-sent events (the EventSource part of the HTML standard).
//!
//! Calls that the mirror watches are told with the engine's own, marked `"observed": true`: of a failure a little later,
//! when it is sure that no new INVITE overcomes it.
//!
//! The client's pace is the stream's pace: nothing is read from the journal before the client has taken what was read
//! before. So a slow client costs one small batch of memory and nobody else's time.

use std::convert::Infallible;
use std::fmt::Write;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, HeaderName};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use callbox::{Notifications, Notified};
use callbox_events::{CallId, Timestamp, time::rfc3339};
use futures::{Stream, StreamExt};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::timeout;

use super::Context;
use super::error::ApiError;

/// A comment is sent after this silence, so that both ends notice a dead connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// One event's data.
#[derive(Serialize)]
struct Shown<'a> {
    seq: u64,
    call_id: CallId,
    notification: &'a str,
    #[serde(serialize_with = "rfc3339::serialize")]
    at: Timestamp,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    observed: bool,
    data: &'a serde_json::Value,
}

/// Follows the notifications: from the one after Last-Event-ID, else from `from`, else those that come from now on.
pub async fn follow(context: Data<Context>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let from = match start(&request)? {
        Some(seq) => seq,
        None => context.engine()?.journal().tail()?.seq(),
    };
    let notifications = context.engine()?.subscribe(from)?.with_observed();
    let opening = futures::stream::iter([Ok(Bytes::from_static(b"retry: 1000\n\n"))]);
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(opening.chain(stream(notifications, context.closing.clone()))))
}

fn start(request: &HttpRequest) -> Result<Option<u64>, ApiError> {
    if let Some(last) = request.headers().get(LAST_EVENT_ID) {
        let last: Option<u64> = last.to_str().ok().and_then(|last| last.parse().ok());
        return last.and_then(|last| last.checked_add(1)).map(Some).ok_or_else(|| invalid("Last-Event-ID"));
    }
    match request.query_string() {
        "" => Ok(None),
        query => match query.strip_prefix("from=").map(str::parse) {
            Some(Ok(seq)) => Ok(Some(seq)),
            Some(Err(_)) | None => Err(invalid("the query")),
        },
    }
}

fn invalid(what: &str) -> ApiError {
    ApiError::bad_request("invalid_query", format!("{what} is not understood")).hint(
        "from=SEQ wants events from that global sequence number on; Last-Event-ID repeats the id last seen",
    )
}

fn stream(
    notifications: Notifications,
    closing: watch::Receiver<bool>,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    futures::stream::unfold((notifications, closing), async |(mut notifications, mut closing)| {
        let next = tokio::select! {
            biased;
            // An error means that the server is gone: the same thing.
            _ = closing.wait_for(|closing| *closing) => None,
            next = timeout(KEEP_ALIVE, notifications.next()) => match next {
                Ok(Some(Ok(notified))) => Some(frame(&notified)),
                Ok(Some(Err(error))) => {
                    tracing::warn!(%error, "an event stream ends");
                    None
                }
                Ok(None) => None,
                Err(_) => Some(Bytes::from_static(b": keep-alive\n\n")),
            },
        };
        next.map(|bytes| (Ok(bytes), (notifications, closing)))
    })
}

fn frame(notified: &Notified) -> Bytes {
    let Notified { seq, call, notification, at, observed, data } = notified;
    let name = notification.code();
    let shown = Shown { seq: *seq, call_id: *call, notification: name, at: *at, observed: *observed, data };
    // JSON on one line; all keys are text, so there is nothing to refuse.
    let json = serde_json::to_string(&shown).unwrap_or_default();
    let mut text = String::with_capacity(json.len() + 64);
    let _ = write!(text, "id: {seq}\nevent: {name}\ndata: {json}\n\n");
    text.into()
}
