//! What a call needs to know of SIP messages, as plain values: digested, without syntax.
//!
//! `callbox-sip` makes these from bytes; the machine decides on them and the rulebook judges by them. Texts are as
//! seen on the wire.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How a message travels (RFC 3261 §18, RFC 7118).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Datagrams; requests and responses are retransmitted.
    Udp,
    /// A stream; nothing below is retransmitted by transactions.
    Tcp,
}

impl Transport {
    /// Whether the transport itself delivers or reports failure, so that timers A, E and G stay off.
    #[must_use]
    pub fn is_reliable(self) -> bool {
        match self {
            Self::Udp => false,
            Self::Tcp => true,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        })
    }
}

/// Where a message came from or goes to: `udp:127.0.0.1:5060`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Peer {
    /// The transport.
    pub transport: Transport,
    /// Address and port.
    pub addr: SocketAddr,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.addr)
    }
}

/// One value of a Reason header (RFC 3326): testimony, kept verbatim.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Reason {
    /// `Q.850`, `SIP`, ... as written.
    pub protocol: String,
    /// The `cause` parameter, if it is a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<u16>,
    /// The `text` parameter, unquoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The `location` parameter (RFC 8606).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The whole value as it was written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub raw: String,
}

impl Reason {
    /// A Reason of our own making.
    #[must_use]
    pub fn new(protocol: &str, cause: u16, text: &str) -> Self {
        Self {
            protocol: protocol.to_owned(),
            cause: Some(cause),
            text: (!text.is_empty()).then(|| text.to_owned()),
            location: None,
            raw: String::new(),
        }
    }

    /// A Q.850 cause.
    #[must_use]
    pub fn q850(cause: u16, text: &str) -> Self {
        Self::new("Q.850", cause, text)
    }

    /// A SIP status as a reason.
    #[must_use]
    pub fn sip(status: u16, text: &str) -> Self {
        Self::new("SIP", status, text)
    }
}

/// In which direction media may flow (RFC 3264 §5.1), seen from the sender of the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaDirection {
    /// Both ways; the default.
    #[default]
    SendRecv,
    /// The sender only sends: hold.
    SendOnly,
    /// The sender only receives.
    RecvOnly,
    /// No media: hold.
    Inactive,
}

/// What matters of a session description (RFC 8866).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Sdp {
    /// The address in `o=`: a change between two answers is a clue that a media server took over.
    pub origin: String,
    /// Direction of the first audio stream.
    pub direction: MediaDirection,
}

/// Headers that may betray an announcement, a diversion or a server (VERDICTS section 5).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Clues {
    /// Entries of History-Info (RFC 7044) and Diversion (RFC 5806) that say why the call was moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diversions: Vec<Diversion>,
    /// The Contact carries `automata` (RFC 3840 §10.1).
    #[serde(default, skip_serializing_if = "is_false")]
    pub automata: bool,
    /// Host of the Contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_host: Option<String>,
    /// Server or User-Agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// P-Early-Media (RFC 5009), verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_media: Option<String>,
    /// Retry-After in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// Warning values, verbatim.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The private `X-Asterisk-HangupCause` header, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hangup_cause: Option<String>,
    /// The private `X-Asterisk-HangupCauseCode` header: a Q.850 value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hangup_code: Option<u16>,
}

impl Clues {
    /// Nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why an intermediary moved a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Diversion {
    /// The SIP status that made it (`cause=486` in History-Info), if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<u16>,
    /// The word that made it (`reason=user-busy` in Diversion), if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A request as the machine and the rulebook see it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Request {
    /// The method, as written.
    pub method: String,
    /// CSeq number.
    pub cseq: u32,
    /// All Reason values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// The session description, if the body is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp: Option<Sdp>,
    /// Clues in the headers.
    #[serde(default, skip_serializing_if = "Clues::is_empty")]
    pub clues: Clues,
    /// The remote target after this request, if it changed (RFC 3261 §12.2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_target: Option<String>,
}

/// A response as the machine and the rulebook see it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Response {
    /// 100 to 699.
    pub status: u16,
    /// The phrase as sent.
    pub phrase: String,
    /// The To tag: which early dialog or fork speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_tag: Option<String>,
    /// All Reason values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// The session description, if the body is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp: Option<Sdp>,
    /// Clues in the headers.
    #[serde(default, skip_serializing_if = "Clues::is_empty")]
    pub clues: Clues,
    /// RSeq of a reliable provisional response (RFC 3262).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rseq: Option<u32>,
    /// The dialog that this response creates or confirms, for a 2xx to the initial INVITE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialog: Option<Arc<Dialog>>,
    /// Contacts of a 3xx, as URIs in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
}

/// A dialog in full (RFC 3261 §12): enough to go on with it after a crash. Input, event, state and leg share one
/// (`Arc`): it is written once and read by all of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Dialog {
    /// Call-ID.
    pub sip_call_id: String,
    /// Our From or To value without the tag, for the headers of later requests: `"Bob" <sip:bob@host>`.
    pub local_uri: String,
    /// Our tag.
    pub local_tag: String,
    /// The other's From or To value without the tag.
    pub remote_uri: String,
    /// The other's tag; none before a dialog exists, empty for RFC 2543 peers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_tag: Option<String>,
    /// Where later requests are addressed: the other's Contact.
    pub remote_target: String,
    /// Route values in the order in which we send them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub route_set: Vec<String>,
    /// CSeq of our last request; 0 if there was none.
    pub local_cseq: u32,
    /// CSeq of the other's last request; 0 if there was none.
    pub remote_cseq: u32,
    /// Our Contact URI.
    pub local_contact: String,
    /// Where messages are sent to.
    pub peer: Peer,
    /// Via branch of the initial INVITE: a caller needs it for CANCEL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite_branch: Option<String>,
    /// CSeq of the initial INVITE.
    pub invite_cseq: u32,
}

/// How often each kind of message was absorbed below the machine: retransmissions and strays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Requests and responses that we sent again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sent_again: u32,
    /// Requests and responses that came again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub received_again: u32,
    /// Messages that fitted no transaction or dialog.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stray: u32,
}

impl Counters {
    /// Nothing was absorbed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
