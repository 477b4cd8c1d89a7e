//! What all calls at one listening address share.

use std::net::SocketAddr;
use std::sync::Arc;

use callbox_events::sip::Peer;
use callbox_sip::leg::LegConfig;

use crate::media::MediaAdapter;

/// One place of an engine that calls sit at: a listening address and what is said there.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The engine's node name, written into every commit.
    pub node: Arc<str>,
    /// The listening address whose socket carries the messages.
    pub local: Peer,
    /// The address that others reach us at: `local`, unless that is unspecified.
    pub advertised: SocketAddr,
    /// What the legs say of us; the timers come from each call's policy.
    pub leg: LegConfig,
    /// Who supplies session descriptions.
    pub media: Arc<dyn MediaAdapter>,
}

impl Seat {
    /// The seat at `local`, reached at `advertised`.
    #[must_use]
    pub fn new(
        node: &str,
        user_agent: &str,
        local: Peer,
        advertised: SocketAddr,
        media: Arc<dyn MediaAdapter>,
    ) -> Self {
        let sent_by = advertised.to_string();
        let contact = if local.transport.is_reliable() {
            format!("sip:callbox@{sent_by};transport={}", local.transport)
        } else {
            format!("sip:callbox@{sent_by}")
        };
        let mut leg = LegConfig::new(&contact, &sent_by);
        leg.user_agent = user_agent.into();
        Self { node: node.into(), local, advertised, leg, media }
    }
}
