//! One file per command: its arguments, and what it does with them.

pub mod beats;
pub mod check;
pub mod diff;
pub mod erase;
pub mod export;
pub mod hold;
pub mod import;
pub mod join;
pub mod key;
pub mod ladder;
pub mod list;
pub mod prove;
pub mod prune;
pub mod rejudge;
pub mod show;
pub mod stats;
pub mod step;
pub mod tail;
pub mod verify;
pub mod what_if;
pub mod why;
