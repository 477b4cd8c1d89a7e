//! Why an effect could not be performed.

/// An effect that can't become a message. Never the peer's doing: it is a fault of the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The effect answers something that was not received or is answered already.
    #[error("nothing waits for this answer: {effect}")]
    NothingToAnswer {
        /// The effect, by name.
        effect: &'static str,
    },
    /// The effect needs a dialog that does not exist.
    #[error("no dialog to act in: {effect}")]
    NoDialog {
        /// The effect, by name.
        effect: &'static str,
    },
    /// A text can't be put on the wire.
    #[error("not a legal message: {0}")]
    Illegal(String),
}
