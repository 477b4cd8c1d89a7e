//! Imports: calls from elsewhere into a store.

pub mod recording;
