//! What the process tells its caller (INTERFACE: exit codes of both binaries).

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitCode {
    /// All is well.
    Ok,
    /// A finding: damage, a difference, a divergence.
    Finding,
    /// The command line makes no sense.
    Usage,
    /// What was asked for is not there.
    NotFound,
    /// The store can't be used: locked, corrupt, of a newer version.
    Store,
    /// Anything else.
    Failure,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(match code {
            ExitCode::Ok => 0,
            ExitCode::Finding => 1,
            ExitCode::Usage => 2,
            ExitCode::NotFound => 3,
            ExitCode::Store => 4,
            ExitCode::Failure => 5,
        })
    }
}
