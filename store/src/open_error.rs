//! Why a store could not be opened.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Blame;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such directory.
    #[error("there is no store at {}", dir.display())]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory holds other things.
    #[error("{} is not a callbox store: {why}", dir.display())]
    NotAStore {
        /// The directory.
        dir: PathBuf,
        /// What gives it away.
        why: String,
    },
    /// There is no such file.
    #[error("there is no recording at {}", file.display())]
    MissingRecording {
        /// The file.
        file: PathBuf,
    },
    /// The file holds something else.
    #[error("{} is not a callbox recording", file.display())]
    NotARecording {
        /// The file.
        file: PathBuf,
    },
    /// Another process writes to it.
    #[error("the store at {} is in use by {}", dir.display(), holder(*.pid))]
    Locked {
        /// The directory.
        dir: PathBuf,
        /// The process that holds it, if it left its number.
        pid: Option<u32>,
    },
    /// Written by a newer callbox.
    #[error("the store at {} has format version {found}; this callbox reads up to {supported}", dir.display())]
    Newer {
        /// The directory.
        dir: PathBuf,
        /// The version found.
        found: u16,
        /// The newest version this build reads.
        supported: u16,
    },
    /// What is there is not what was written.
    #[error("the store at {} is damaged at {place}: {what}", dir.display())]
    Corrupt {
        /// The directory.
        dir: PathBuf,
        /// Where: a file, a sequence number.
        place: String,
        /// What is wrong there.
        what: String,
    },
    /// The system refused.
    #[error("{} {}: {source}", what, path.display())]
    Io {
        /// What was attempted.
        what: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

fn holder(pid: Option<u32>) -> String {
    match pid {
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    }
}

impl OpenError {
    /// For `map_err` on file operations.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }

    /// Who has to act.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::Missing { .. }
            | Self::NotAStore { .. }
            | Self::MissingRecording { .. }
            | Self::NotARecording { .. } => Blame::Caller,
            Self::Locked { .. } | Self::Io { .. } => Blame::Environment,
            Self::Newer { .. } | Self::Corrupt { .. } => Blame::Data,
        }
    }

    /// What to do about it, for people.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "check the path; an engine creates the store when it first opens it",
            Self::NotAStore { .. } => "check the path; a store has a file named FORMAT in it",
            Self::MissingRecording { .. } => "check the path; `callbox export --format recording` makes one",
            Self::NotARecording { .. } => {
                "`callbox export --format recording` makes one; captures are for `callbox import`"
            }
            Self::Locked { .. } => "end that process first, or read through it",
            Self::Newer { .. } => "use the callbox that wrote it, or a later one",
            Self::Corrupt { .. } => {
                "keep the directory as it is and restore a copy; `callbox verify` lists what is damaged"
            }
            Self::Io { .. } => "check permissions and room on the disk",
        }
    }
}
