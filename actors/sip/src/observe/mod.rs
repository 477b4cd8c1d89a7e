//! Other people's calls: what a capture or a mirror of the traffic shows of them.
//!
//! A reader of captures or of HEP hands over [`Sighting`]s in the order of their time. It knows packets and streams, not
//! SIP; nothing in here knows packets. What both readers need is here: whether bytes are SIP at all ([`is_sip`]), and
//! how HEP wraps it ([`hep`]).
//!
//! 1. [`Observer::see`] reads a message and finds its call by Call-ID and tags; REGISTER, OPTIONS, SUBSCRIBE and their
//!    kind are no calls. A message in a dialog that nobody knows begins a record without a beginning.
//! 2. A copy is counted. The same message on another hop is drawn, but no second message.
//! 3. A failure is kept back until it is known whether a new INVITE overcomes it.
//! 4. What is new becomes a [`callbox_events::call::observed::Sight`], decided by the same machine as any call: out come
//!    commits for the journal.
//! 5. [`Observer::hear`] takes in what was heard in the audio that the calls' session descriptions want: see [`tones`].
//! 6. Timers run by the capture's own time: each message, or [`Observer::wait`], lets it pass.
//!    [`Observer::finish`] says that nothing more will come.
//!
//! An observer that is killed leaves calls open. [`Observer::resume`] takes them up again from their records.
//!
//! Memory is bounded by [`ObserverConfig`], whatever the traffic.

mod attempt;
mod best;
mod classify;
mod config;
mod due;
mod held;
pub mod hep;
mod known;
mod legs;
mod mend;
mod observer;
mod opening;
mod parties;
mod recognise;
mod record;
mod sighting;
pub mod tones;
mod tracked;
mod wishes;

pub use config::ObserverConfig;
pub use observer::{NotOpen, Observer};
pub use recognise::{Start, is_sip, start_of};
pub use sighting::Sighting;
