//! Retention: removing the oldest volumes of a journal, by age or by size, so that what is left can still be proven.
//!
//! 1. [`policy`] decides what is due, from facts alone.
//! 2. [`holds`] names the calls that must stay, whatever their age; `held` keeps them when their volumes go.
//! 3. [`prune`](mod@prune) looks through what is due, once more, and makes sure that nobody needs it.
//! 4. [`pruned`] makes it true, in one small file, before anything is removed.

pub(crate) mod held;
pub mod holds;
pub mod policy;
pub mod prune;
pub mod pruned;
