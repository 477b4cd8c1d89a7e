//! Who takes part in a call: which end a message comes from, and which addresses had a part in it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

use callbox_events::party::Side;
use smallvec::SmallVec;

use super::{Sighting, classify};
use crate::wire::{Message, SipUri};

/// More addresses than this are not told apart.
const MOST_ADDRESSES: usize = 16;
/// Responses to older requests than so many are known by their tags alone.
const MOST_REQUESTS: usize = 16;

/// The ends of one call.
#[derive(Debug, Clone)]
pub(super) struct Parties {
    caller_tag: String,
    /// Whether it is known which end is the caller.
    oriented: bool,
    /// Where the INVITE came from on the first hop, if it was seen.
    caller: Option<SocketAddr>,
    /// Addresses that had a part in the call; none once a name in a Contact may stand for any.
    addresses: Option<SmallVec<[IpAddr; 4]>>,
    /// The transactions of the last requests, and whose they are.
    requests: SmallVec<[(u64, Side); 4]>,
}

impl Parties {
    pub(super) fn new(caller_tag: String, oriented: bool, caller: Option<SocketAddr>) -> Self {
        Self { caller_tag, oriented, caller, addresses: Some(SmallVec::new()), requests: SmallVec::new() }
    }

    /// Whose request a message is or answers by its tags alone.
    pub(super) fn by_tags(&self, message: &Message) -> Option<Side> {
        classify::requester(message, &self.caller_tag)
    }

    /// Whose request a message is or answers. If its tags do not say so, a response belongs to its transaction (RFC 3261
    /// §17.1.3), and an ACK of the INVITE `invite` from the caller's own port to the caller.
    pub(super) fn requester(&self, message: &Message, sighting: &Sighting, invite: u32) -> Option<Side> {
        self.by_tags(message).or_else(|| {
            if message.is_request() {
                let acks = message.method().as_str() == "ACK" && message.cseq().0 == invite;
                return (acks && self.caller == Some(sighting.source)).then_some(Side::Caller);
            }
            let key = transaction(message)?;
            self.requests.iter().rev().find(|(known, _)| *known == key).map(|(_, side)| *side)
        })
    }

    /// Whose message it is, given whose request it is or answers.
    pub(super) fn sender(&self, message: &Message, requester: Side) -> Side {
        match (self.oriented, message.is_request(), requester) {
            (false, _, _) => Side::Unknown,
            (true, true, Side::Caller) | (true, false, Side::Callee) => Side::Caller,
            (true, _, _) => Side::Callee,
        }
    }

    /// Whether a message comes from an address that had no part in the call.
    pub(super) fn is_stranger(&self, sighting: &Sighting) -> bool {
        self.addresses.as_ref().is_some_and(|known| !known.contains(&sighting.source.ip()))
    }

    /// Remembers a request, so that its responses are known.
    pub(super) fn note_request(&mut self, message: &Message, requester: Side) {
        let Some(key) = transaction(message).filter(|_| message.is_request()) else { return };
        if self.requests.len() >= MOST_REQUESTS {
            self.requests.remove(0);
        }
        self.requests.push((key, requester));
    }

    /// Remembers who has a part in the call: both ends of the hop, and the address given for later requests.
    pub(super) fn meet(&mut self, message: &Message, sighting: &Sighting) {
        let contact = message.contact().and_then(|contact| SipUri::parse(contact.uri).ok());
        let host = contact.map(|uri| uri.host.trim_matches(['[', ']']).parse::<IpAddr>());
        if matches!(host, Some(Err(_))) {
            self.addresses = None;
        }
        let Some(known) = &mut self.addresses else { return };
        let given = host.and_then(Result::ok);
        for address in [sighting.source.ip(), sighting.destination.ip()].into_iter().chain(given) {
            if known.len() < MOST_ADDRESSES && !known.contains(&address) {
                known.push(address);
            }
        }
    }
}

/// What names a transaction: branch, number and method.
fn transaction(message: &Message) -> Option<u64> {
    let mut hash = DefaultHasher::new();
    (message.branch()?, message.cseq().0, message.method().as_str()).hash(&mut hash);
    Some(hash.finish())
}
