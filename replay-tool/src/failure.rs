//! Failures as people and programs are told: a stable code, a message, a hint.

use std::io;

use callbox_store::ReadError;
use serde::Serialize;

use crate::exit_code::ExitCode;

/// Why a command could not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Stable, for programs.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// What to do about it; may have several lines.
    pub hint: Option<String>,
    /// What the process returns.
    pub exit: ExitCode,
}

#[derive(Serialize)]
struct Document<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(exit: ExitCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, exit }
    }

    /// The same with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whoever read our output has gone: no error, nothing to say.
    pub fn is_broken_pipe(&self) -> bool {
        self.code == BROKEN_PIPE
    }

    /// `{"error":{"code","message","hint"}}`.
    pub fn json(&self) -> String {
        let error = Body { code: self.code, message: &self.message, hint: self.hint.as_deref() };
        serde_json::to_string(&Document { error }).unwrap_or_default()
    }
}

const BROKEN_PIPE: &str = "broken_pipe";

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::new(ExitCode::Ok, BROKEN_PIPE, "")
        } else {
            Self::new(ExitCode::Failure, "output", format!("the output could not be written: {error}"))
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        match error.io_error_kind() {
            Some(kind) => io::Error::from(kind).into(),
            None => {
                Self::new(ExitCode::Failure, "output", format!("the output could not be written: {error}"))
            }
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let (exit, code) = match &error {
            ReadError::Corrupt { .. } => (ExitCode::Store, "store_corrupt"),
            ReadError::TooNew { .. } => (ExitCode::Store, "store_too_new"),
            ReadError::Unavailable { .. } => (ExitCode::Store, "store_unavailable"),
            ReadError::Interrupted { .. } => (ExitCode::Failure, "connection_lost"),
            ReadError::Beyond { .. } => (ExitCode::Failure, "beyond_the_end"),
        };
        Self::new(exit, code, error.to_string()).hint(error.hint())
    }
}
