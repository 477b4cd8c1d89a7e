//! Verdicts: who ended a call, how and why, computed from its record by versioned rules.
