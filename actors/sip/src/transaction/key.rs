//! Which transaction a request belongs to (RFC 3261 §17.2.3).

use crate::wire::{Message, Via};

/// The identity of a server transaction, apart from its method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The branch is unique by RFC 3261 rules; the sent-by guards against clients that collide.
    Branch {
        /// The branch, compared as it is.
        branch: Box<str>,
        /// Host of the topmost Via, in lower case.
        host: Box<str>,
        /// Its port, if given.
        port: Option<u16>,
    },
    /// The client is older than RFC 3261: everything that its retransmission must repeat.
    Rfc2543(Box<Old>),
}

/// What identifies a transaction without a branch. The Call-ID is that of the leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Old {
    uri: Box<str>,
    from_tag: Box<str>,
    /// Not compared for an ACK, which carries the tag of the response.
    to_tag: Box<str>,
    cseq: u32,
    via: Box<str>,
}

impl Key {
    /// The key of a request with this topmost Via.
    #[must_use]
    pub fn of(request: &Message, via: &Via<'_>) -> Self {
        match via.branch().filter(|_| via.has_transaction_id()) {
            Some(branch) => Self::Branch {
                branch: branch.into(),
                host: via.host.to_ascii_lowercase().into(),
                port: via.port,
            },
            None => Self::Rfc2543(Box::new(Old::of(request))),
        }
    }

    /// Whether `request`, whose method is the transaction's, or ACK or CANCEL for an INVITE, belongs to it.
    #[must_use]
    pub fn is_of(&self, request: &Message) -> bool {
        let via = request.top_via();
        match self {
            Self::Branch { branch, host, port } => {
                request.branch() == Some(branch) && via.port == *port && via.host.eq_ignore_ascii_case(host)
            }
            Self::Rfc2543(old) => {
                let is_ack = *request.method() == crate::wire::Method::Ack;
                !via.has_transaction_id()
                    && request.cseq().0 == old.cseq
                    && request.uri() == Some(&old.uri)
                    && request.from_tag().unwrap_or_default() == &*old.from_tag
                    && (is_ack || request.to_tag().unwrap_or_default() == &*old.to_tag)
                    && request.header(&crate::wire::HeaderName::Via) == Some(&old.via)
            }
        }
    }
}

impl Old {
    fn of(request: &Message) -> Self {
        Self {
            uri: request.uri().unwrap_or_default().into(),
            from_tag: request.from_tag().unwrap_or_default().into(),
            to_tag: request.to_tag().unwrap_or_default().into(),
            cseq: request.cseq().0,
            via: request.header(&crate::wire::HeaderName::Via).unwrap_or_default().into(),
        }
    }
}
