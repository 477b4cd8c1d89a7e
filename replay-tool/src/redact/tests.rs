//! Redaction as tables and as laws.
