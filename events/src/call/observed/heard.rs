//! What was heard in the audio of a call.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::call::note::{Note, Tone};
use crate::time::Timestamp;

/// A tone that was recognised; whose audio it was the sight says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Heard {
    /// Which tone.
    pub tone: Tone,
    /// Where the audio was sent to: an address that a session description of the call names.
    pub addr: SocketAddr,
    /// When it began.
    pub from: Timestamp,
    /// Until when it had been heard when it was recognised.
    pub until: Timestamp,
}

impl Heard {
    /// The code of the note that stands for it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        Note::Tone(self.tone).code()
    }
}
