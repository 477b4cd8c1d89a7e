//! The actix shell round the cores.
