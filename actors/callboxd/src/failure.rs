//! How callboxd ends: exit codes and the words that go with them.

use std::fmt;
use std::process::ExitCode;

/// Why the program ends, as its exit code says it (INTERFACE; the same for both binaries).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The demo found a flow that did not end as it should.
    Finding,
    /// The command line or the configuration file is wrong.
    Usage,
    /// The store can't be used: locked, corrupt, of a newer version.
    Store,
    /// Anything else.
    Other,
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Self::Finding => 1,
            Self::Usage => 2,
            Self::Store => 4,
            Self::Other => 5,
        }
    }
}

/// A failure that ends the program: what is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// A wrong command line or configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// A failure of the system around us.
    pub fn other(message: impl Into<String>) -> Self {
        Self::new(Exit::Other, message)
    }

    /// The same failure with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Says it on stderr and yields the exit code.
    pub fn report(&self) -> ExitCode {
        eprintln!("{self}");
        ExitCode::from(self.exit.code())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}
