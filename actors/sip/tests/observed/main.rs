//! Observed calls, told as tables a person can read: messages between two or more ends, and the verdict.

mod laws;
mod script;
mod tables;
mod wires;
