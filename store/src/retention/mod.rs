//! Retention: removing the oldest volumes of a journal, by age or by size, so that what is left can still be proven.
//!
//! 1. [`policy`] decides what is due, from facts alone.
//! 2. [`holds`] names the calls that must stay, whatever their age.
//! 3. [`pruned`] makes it true, in one small file, before anything is removed.

pub mod holds;
pub mod policy;
pub mod pruned;
