//! How much of a message is read at all.

/// Bounds on everything that a peer can make large. What exceeds one is refused, never cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a whole message, start line to body: 513 beyond.
    pub max_message: usize,
    /// Header lines, after comma lists were split: 513 beyond.
    pub max_headers: usize,
    /// Bytes of one header, folded lines included: 513 beyond.
    pub max_header_line: usize,
    /// Bytes of the start line: 414 beyond.
    pub max_start_line: usize,
    /// Bytes of the body: 413 beyond.
    pub max_body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message: 65_536,
            max_headers: 256,
            max_header_line: 8_192,
            max_start_line: 8_192,
            max_body: 65_536,
        }
    }
}
