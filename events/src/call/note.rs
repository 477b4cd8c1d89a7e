//! What the application, or an observer, knows of a call beside its signalling: kept in the record for the rulebook.

use serde::{Deserialize, Serialize};

/// Something heard or seen that changes no phase. On record as [`super::Noted`] under its [code](Note::code).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// A tone of the network in the audio from the called side.
    Tone(Tone),
    /// What answered, as a detector of answering machines or a person found out.
    AnsweredBy(Answerer),
}

/// Tones that tell what became of a call (ITU-T E.180).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// The called party is busy.
    Busy,
    /// The network is busy (reorder, fast busy); in some countries the called party is.
    Congestion,
    /// Special information tone: a recorded announcement follows.
    Sit,
    /// The called party's phone rings.
    Ringback,
}

/// What can answer a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answerer {
    /// A person.
    Party,
    /// Voicemail, IVR.
    Automaton,
    /// A recorded message about the call itself.
    Announcement,
}

impl Note {
    /// All notes.
    pub const ALL: [Self; 7] = [
        Self::Tone(Tone::Busy),
        Self::Tone(Tone::Congestion),
        Self::Tone(Tone::Sit),
        Self::Tone(Tone::Ringback),
        Self::AnsweredBy(Answerer::Party),
        Self::AnsweredBy(Answerer::Automaton),
        Self::AnsweredBy(Answerer::Announcement),
    ];

    /// The stable code: the `what` of its [`super::Noted`].
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Tone(Tone::Busy) => "tone_busy",
            Self::Tone(Tone::Congestion) => "tone_congestion",
            Self::Tone(Tone::Sit) => "tone_sit",
            Self::Tone(Tone::Ringback) => "tone_ringback",
            Self::AnsweredBy(Answerer::Party) => "answered_by_party",
            Self::AnsweredBy(Answerer::Automaton) => "answered_by_automaton",
            Self::AnsweredBy(Answerer::Announcement) => "answered_by_announcement",
        }
    }

    /// The note of this code, if it is one.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|note| note.code() == code)
    }
}
