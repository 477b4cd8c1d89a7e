//! Views: a call's record as people and programs want to see it. Pure projections of commits.
//!
//! - [`CallSummary`]: a call in one line, as in `callbox list` and `GET /v1/calls`; built as commits come.
//! - [`timeline()`]: a call step by step: what came in, what happened, what went out, and when.
//! - [`ladder()`]: a call as a sequence chart.
//! - [`rerun()`]: a call decided again, compared with its record.
//! - [`what_if()`]: a call decided once more under other conditions.
//! - [`join`]: two records of one call compared, and drawn as one.
//! - [`gist()`]: an event in a few words.

mod gist;
pub mod join;
mod ladder;
mod rerun;
mod summary;
mod timeline;
mod what_if;

pub use gist::gist;
pub use ladder::{Ladder, Mark, Participant, Row, ladder, short_uri};
pub use rerun::{Difference, Divergence, Rerun, rerun};
pub use summary::{CallSummary, policy, summarise};
pub use timeline::{Entry, Message, Step, timeline};
pub use what_if::{Assumption, Change, RuleChange, Setting, SettingError, WhatIf, WhatIfError, what_if};
