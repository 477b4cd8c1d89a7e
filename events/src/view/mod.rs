//! Views: a call's record as people and programs want to see it.
