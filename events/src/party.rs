//! Who takes part in a call, and who acted.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which end of the call this engine is: the one that sent the INVITE or the one that received it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// This engine placed the call (UAC of the INVITE).
    Caller,
    /// This engine was called (UAS of the INVITE).
    Callee,
}

impl Role {
    /// The other end.
    #[must_use]
    pub fn peer(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }

    /// The side of the call that this role stands for.
    #[must_use]
    pub fn side(self) -> Side {
        match self {
            Self::Caller => Side::Caller,
            Self::Callee => Side::Callee,
        }
    }
}

/// The side that caused something (VERDICTS: `ended_by.side`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The one who called.
    Caller,
    /// The one who was called.
    Callee,
    /// Something between them: a proxy, a business server, the transport.
    Network,
    /// Both ends at once.
    Both,
    /// No side: a crash, a capture that stops.
    Nobody,
    /// The evidence does not tell.
    Unknown,
}

impl Side {
    /// The other side; of what is no single side, itself.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
            Self::Network | Self::Both | Self::Nobody | Self::Unknown => self,
        }
    }
}

/// What acted on that side (VERDICTS: `ended_by.agent`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agent {
    /// A person.
    User,
    /// The program that embeds the engine.
    Application,
    /// An operator.
    Administrator,
    /// A timer of that side.
    Timer,
    /// A machine that answers or plays announcements.
    Automaton,
    /// The engine by itself: a policy, a limit, a fault.
    Engine,
    /// The evidence does not tell.
    Unknown,
}

macro_rules! shown_as_code {
    ($($name:ty { $($variant:ident => $code:literal),+ $(,)? })+) => {$(
        impl $name {
            /// The stable code, as in JSON.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }
    )+};
}
shown_as_code! {
    Role { Caller => "caller", Callee => "callee" }
    Side { Caller => "caller", Callee => "callee", Network => "network", Both => "both", Nobody => "nobody",
           Unknown => "unknown" }
    Agent { User => "user", Application => "application", Administrator => "administrator", Timer => "timer",
            Automaton => "automaton", Engine => "engine", Unknown => "unknown" }
}
