//! Errors of the control API: `{"error":{"code","message","hint"}}` (INTERFACE).

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use callbox::{CommandError, SubscribeError};
use callbox_events::call::Outcome;
use callbox_store::ReadError;
use serde::Serialize;

/// An answer that says no. Texts never repeat what the client sent at length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: Option<String>,
    allow: Option<&'static str>,
    outcome: Option<Outcome>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Shown<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
}

#[derive(Serialize)]
struct Shown<'a> {
    code: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), hint: None, allow: None, outcome: None }
    }

    /// The same error with a remedy.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// 400: the request makes no sense.
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 401: the token is missing or wrong.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "this engine wants a token")
            .hint("send Authorization: Bearer TOKEN; the token is in the file given by --http-token-file")
    }

    /// 403: nobody may, over HTTP.
    pub fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// 403: a web page of somebody else is at work.
    pub fn foreign() -> Self {
        Self::new(StatusCode::FORBIDDEN, "foreign_origin", "requests of foreign web pages are refused")
            .hint("call the engine by its address or as localhost, or protect it with --http-token-file")
    }

    /// 404: no such call.
    pub fn unknown_call() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown_call", "no call has this id")
            .hint("GET /v1/calls lists them; an id has 32 hexadecimal digits")
    }

    /// 404: no such resource.
    pub fn unknown_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown_path", "there is nothing at this path")
            .hint("the API is under /v1: calls, calls/{id}, calls/{id}/why, events, journal; and /metrics, /healthz")
    }

    /// 405: the resource does not take this method.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this path does not take this method",
            )
            .hint(format!("it takes {allow}"))
        }
    }

    /// 409: the call is not in a phase for that. The refusal is durable all the same, so the outcome is told too.
    pub fn refused(command: &str) -> Self {
        Self {
            outcome: Some(Outcome::Refused),
            ..Self::new(
                StatusCode::CONFLICT,
                "not_possible",
                format!("{command} is not possible in this phase"),
            )
            .hint("GET /v1/calls/{id} tells the phase")
        }
    }

    /// 413: the body is larger than any sensible one.
    pub fn too_large(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("the body exceeds {limit} bytes"))
    }

    /// 500: a fault of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    /// 501: promised for a later version.
    pub fn not_supported(what: &str) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "not_supported", format!("{what} is not in this version"))
    }

    /// 503: not now.
    pub fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.code, self.message)
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(allow) = self.allow {
            response.insert_header((ALLOW, allow));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        let error = Shown { code: self.code, message: &self.message, hint: self.hint.as_deref() };
        response.json(Envelope { error, outcome: self.outcome })
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        let (code, message) = (error.code(), error.to_string());
        match error {
            CommandError::NotFound(_) => Self::unknown_call(),
            CommandError::InvalidUri { .. } => {
                Self::bad_request(code, message).hint("a target looks like sip:bob@127.0.0.1:5070")
            }
            CommandError::Invalid { .. } => Self::bad_request(code, message),
            CommandError::NoTransport(_) => {
                Self::bad_request(code, message).hint("callboxd serve --listen may be given several times")
            }
            CommandError::TooManyCalls { .. } | CommandError::Overloaded => {
                Self::unavailable(code, message).hint("try again when calls have ended")
            }
            CommandError::Journal(_) => {
                Self::unavailable(code, message).hint("the engine's log tells what happened to the store")
            }
            CommandError::Closed => Self::unavailable(code, message),
            CommandError::Internal => Self::internal(message),
        }
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        let (message, hint) = (error.to_string(), error.hint());
        match error {
            ReadError::Beyond { .. } => Self::bad_request("beyond_the_end", message),
            ReadError::Unavailable { .. } | ReadError::Interrupted { .. } => {
                Self::unavailable("journal_unavailable", message)
            }
            ReadError::Corrupt { .. } | ReadError::TooNew { .. } => Self::internal(message),
        }
        .hint(hint)
    }
}

impl From<SubscribeError> for ApiError {
    fn from(error: SubscribeError) -> Self {
        match error {
            SubscribeError::Journal(error) => error.into(),
        }
    }
}
