//! Views: a call's record as people and programs want to see it. Pure projections of commits.
//!
//! - [`CallSummary`]: a call in one line, as in `callbox list` and `GET /v1/calls`; built as commits come.

mod summary;

pub use summary::{CallSummary, Direction, summarise};
