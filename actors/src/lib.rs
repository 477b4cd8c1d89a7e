//! callbox
