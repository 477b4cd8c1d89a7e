//! Why an engine elsewhere does not answer, and how that is told.

use std::io;

use callbox_store::live::protocol::{NotUnderstood, plain};
use serde::Deserialize;
use ureq::http::Response;
use ureq::{Body, Error};

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// The most bytes of an error's body that are looked at.
const MAX_BODY: u64 = 16 * 1024;

/// An engine's answer that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody is there.
    #[error("{0}")]
    Unreachable(String),
    /// Somebody else is there.
    #[error("what answers is no callboxd: {0}")]
    Foreign(String),
    /// It wants a token.
    #[error("it wants a token")]
    TokenMissing,
    /// It wants another token.
    #[error("it refuses the token")]
    TokenRefused,
    /// It does not know the question.
    #[error("its version is another one: {0}")]
    Version(String),
    /// Too many read already.
    #[error("too many clients read its journal")]
    Busy,
    /// Another reason that it gives.
    #[error("it refuses: {0}")]
    Other(String),
}

/// `{"error":{"code","message"}}`, as a callboxd says no.
#[derive(Deserialize)]
struct Document {
    error: Said,
}

#[derive(Deserialize)]
struct Said {
    code: String,
    message: String,
}

impl Refusal {
    /// No answer came.
    pub fn unreachable(error: Error) -> io::Error {
        match error {
            Error::Io(error) => Self::Unreachable(error.to_string()),
            Error::HostNotFound => Self::Unreachable("its name is not known".into()),
            Error::Timeout(_) => Self::Unreachable("it did not answer in time".into()),
            error @ (Error::Protocol(_) | Error::LargeResponseHeader(..) | Error::Http(_)) => {
                Self::Foreign(plain(&error.to_string()))
            }
            // The enum is another's and grows; what is left are matters of its own.
            error => Self::Unreachable(plain(&error.to_string())),
        }
        .into()
    }

    /// An answer came that says no.
    pub fn of(response: Response<Body>, with_token: bool) -> Self {
        let status = response.status().as_u16();
        let body = response.into_body().into_with_config().limit(MAX_BODY);
        let said = std::io::read_to_string(body.reader()).ok();
        Self::said(status, said.as_deref().unwrap_or_default(), with_token)
    }

    fn said(status: u16, body: &str, with_token: bool) -> Self {
        if status == 401 {
            return if with_token { Self::TokenRefused } else { Self::TokenMissing };
        }
        let Ok(Document { error: Said { code, message } }) = serde_json::from_str(body) else {
            return Self::Foreign(format!("it answers with status {status}"));
        };
        match code.as_str() {
            "other_version" | "unknown_request" => Self::Version(plain(&message)),
            "unknown_path" => Self::Version("it can't be read from elsewhere yet".into()),
            "too_many_readers" => Self::Busy,
            "closed" => Self::Unreachable("it is closing".into()),
            _ => Self::Other(plain(&message)),
        }
    }
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        Self::other(refusal)
    }
}

/// Why the engine at `address` can't be read.
pub fn told(address: &str, error: io::Error) -> Failure {
    if let Some(what) = NotUnderstood::of(&error) {
        return match what {
            NotUnderstood::Version { .. } => refused(address, &Refusal::Version(what.to_string())),
            NotUnderstood::Foreign | NotUnderstood::Request | NotUnderstood::Reply => {
                refused(address, &Refusal::Foreign("its answer is something else".into()))
            }
        };
    }
    match error.downcast::<Refusal>() {
        Ok(refusal) => refused(address, &refusal),
        Err(error) => {
            let message = format!("the connection to the engine at {address} is lost: {error}");
            Failure::new(ExitCode::Failure, "connection_lost", message)
                .hint("see whether the engine still runs, then try again: nothing was changed")
        }
    }
}

fn refused(address: &str, refusal: &Refusal) -> Failure {
    let (exit, code, hint) = match refusal {
        Refusal::Unreachable(_) => (
            ExitCode::Failure,
            "engine_unreachable",
            "see whether callboxd runs there, with --http; its ready line names the port",
        ),
        Refusal::Foreign(_) => (
            ExitCode::Store,
            "not_an_engine",
            "check the port: it is the one that callboxd was given with --http",
        ),
        Refusal::TokenMissing => (
            ExitCode::Failure,
            "token_missing",
            "give --url-token-file FILE, or set CALLBOX_URL_TOKEN_FILE; never the token itself",
        ),
        Refusal::TokenRefused => (
            ExitCode::Failure,
            "token_refused",
            "its file must have the same first line as the one that callboxd was given with --http-token-file",
        ),
        Refusal::Version(_) => {
            (ExitCode::Store, "engine_version", "use the callbox of the same version as that callboxd")
        }
        Refusal::Busy => (ExitCode::Failure, "engine_busy", "try again when one of them is done"),
        Refusal::Other(_) => (ExitCode::Failure, "engine_refused", "the engine's log may tell more"),
    };
    Failure::new(exit, code, format!("the engine at {address} can't be read: {refusal}")).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn body(code: &str) -> String {
        format!("{{\"error\":{{\"code\":\"{code}\",\"message\":\"m\\u001b[2J\",\"hint\":null}}}}")
    }

    #[test]
    fn each_no_has_a_code_of_its_own() {
        for (status, said, with_token, code, exit) in [
            (401, body("unauthorized"), false, "token_missing", ExitCode::Failure),
            (401, body("unauthorized"), true, "token_refused", ExitCode::Failure),
            (400, body("other_version"), true, "engine_version", ExitCode::Store),
            (400, body("unknown_request"), true, "engine_version", ExitCode::Store),
            (404, body("unknown_path"), true, "engine_version", ExitCode::Store),
            (404, "<p>Not Found".into(), true, "not_an_engine", ExitCode::Store),
            (302, String::new(), false, "not_an_engine", ExitCode::Store),
            (503, body("too_many_readers"), false, "engine_busy", ExitCode::Failure),
            (503, body("closed"), false, "engine_unreachable", ExitCode::Failure),
            (403, body("foreign_origin"), false, "engine_refused", ExitCode::Failure),
        ] {
            let failure = told("http://h", Refusal::said(status, &said, with_token).into());
            assert_eq!((failure.code, failure.exit), (code, exit), "{status} {said}");
            assert!(failure.hint.is_some() && !failure.message.contains('\u{1b}'), "{failure:?}");
        }
        let version = NotUnderstood::Version { found: 9 };
        assert_eq!(told("http://h", version.into()).code, "engine_version");
        assert_eq!(told("http://h", NotUnderstood::Foreign.into()).code, "not_an_engine");
        assert_eq!(told("http://h", io::ErrorKind::UnexpectedEof.into()).code, "connection_lost");
    }

    proptest! {
        #[test]
        fn any_no_is_told(status in 100u16..600, said in "[ -~\\x00-\\x1f]{0,60}|\\{\"error\":\\{\"code\":\"[a-z_]{0,9}\",\"message\":\"[^\"\\\\]{0,9}\"\\}\\}") {
            let failure = told("http://h", Refusal::said(status, &said, false).into());
            prop_assert!(!failure.message.chars().any(char::is_control));
        }
    }
}
