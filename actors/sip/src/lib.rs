//! SIP for callbox, without IO: bytes, time and identifiers in; bytes, signals and deadlines out.

pub mod dialog;
pub mod digest;
pub mod ids;
pub mod leg;
pub mod observe;
pub mod redact;
pub mod stateless;
pub mod transaction;
pub mod wire;
