//! Bytes and messages: the scanner, the views of header values, the writer, the framing of streams.
//!
//! Foreign bytes come in through [`parse()`] (one datagram) or [`Framer`] (a stream) and become a [`Message`]:
//! unfolded headers under their long names, comma lists split, the body cut by its Content-Length, and the raw bytes
//! kept for the journal. A message that cannot be used becomes a [`ParseError`], which says whether and with what a
//! server may still answer. Own messages are made with [`Writer`], which cannot be talked into writing a second
//! header or a second message.
//!
//! rsip, whose value types other parts of the product show, is known in [`bridge`] alone.
//!
//! Texts are slices of the datagram wherever possible ([`Str`]); nothing is decoded before it is asked for.

pub mod bridge;
mod call_id;
mod error;
mod framer;
pub mod grammar;
mod limits;
mod message;
mod method;
mod name;
mod parse;
mod reject;
mod scan;
mod spans;
mod status;
mod text;
mod views;
mod write;

pub use call_id::call_id_of;
pub use error::{ParseError, ParseErrorKind};
pub use framer::{Framer, measure};
pub use grammar::{NameAddr, Params, SipUri, SyntaxError, Uri, Via};
pub use limits::Limits;
pub use message::{Header, Message, StartLine};
pub use method::Method;
pub use name::HeaderName;
pub use parse::parse;
pub use reject::Reject;
pub use status::phrase_of;
pub use text::Str;
pub use write::{WriteError, Writer};
