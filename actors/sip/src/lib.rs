//! SIP for callbox, without IO: bytes, time and identifiers in; bytes, signals and deadlines out.

pub mod digest;
pub mod ids;
pub mod leg;
pub mod stateless;
pub mod transaction;
/// Stands in until the real module is there.
#[allow(missing_docs)]
pub mod wire {
    #[derive(Debug, Clone)]
    pub struct Message;
    #[derive(Debug, Clone)]
    pub struct ParseError;
}
