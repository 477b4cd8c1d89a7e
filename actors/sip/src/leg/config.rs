//! What a leg must know of the engine it runs in.

use std::sync::Arc;

use callbox_events::call::SipTimers;

/// The engine's side of every message. Cheap to clone: all legs of an engine share the texts.
#[derive(Debug, Clone)]
pub struct LegConfig {
    /// T1, T2 and T4.
    pub timers: SipTimers,
    /// Our Contact as a URI, without angle brackets: `sip:callbox@192.0.2.1:5060`. A dialog that carries its own
    /// `local_contact` overrides it.
    pub contact: Arc<str>,
    /// Our host and port in Via: `192.0.2.1:5060`.
    pub sent_by: Arc<str>,
    /// User-Agent of our requests, Server of our responses; empty for none.
    pub user_agent: Arc<str>,
    /// Our Allow header.
    pub allow: Arc<str>,
}

/// The methods that a leg understands.
pub const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, MESSAGE, NOTIFY, UPDATE";

impl LegConfig {
    /// A configuration with the standard timers.
    #[must_use]
    pub fn new(contact: &str, sent_by: &str) -> Self {
        Self {
            timers: SipTimers::default(),
            contact: contact.into(),
            sent_by: sent_by.into(),
            user_agent: "callbox".into(),
            allow: ALLOW.into(),
        }
    }

    /// The same with other timers: those of a call's policy.
    #[must_use]
    pub fn with_timers(mut self, timers: SipTimers) -> Self {
        self.timers = timers;
        self
    }
}
