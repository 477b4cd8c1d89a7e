//! The network between simulated parties.

use std::time::Duration;

use bytes::Bytes;
use callbox_events::Timestamp;
use callbox_events::sip::Peer;
use callbox_sip::leg::TransmitKind;

use super::rng::Rng;

/// How the network treats datagrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// Shortest time under way.
    pub min_latency: Duration,
    /// Longest time under way; packets overtake each other within this span if `reorder` is set.
    pub max_latency: Duration,
    /// Lost, in thousandths.
    pub loss_permille: u32,
    /// Delivered twice, in thousandths.
    pub duplicate_permille: u32,
    /// Whether packets between two parties may overtake each other.
    pub reorder: bool,
}

impl Default for Network {
    /// A calm one: 1 to 3 ms, in order, nothing lost.
    fn default() -> Self {
        Self {
            min_latency: Duration::from_millis(1),
            max_latency: Duration::from_millis(3),
            loss_permille: 0,
            duplicate_permille: 0,
            reorder: false,
        }
    }
}

impl Network {
    pub(super) fn latency(&self, rng: &mut Rng) -> Duration {
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(rng.between(micros(self.min_latency), micros(self.max_latency)))
    }
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// What the network does to any.
    Pass,
    /// Lost.
    Lose,
    /// Delivered so much later than usual.
    Delay(Duration),
    /// Delivered twice.
    Twice,
}

/// One packet that somebody sent.
#[derive(Debug, Clone)]
pub struct Flight {
    /// When it left.
    pub at: Timestamp,
    /// The sender's name.
    pub from: String,
    /// The receiver's name; the address if nobody has it.
    pub to: String,
    /// The receiver's address.
    pub peer: Peer,
    /// The message.
    pub bytes: Bytes,
    /// Why an engine sent it; none for a script's.
    pub kind: Option<TransmitKind>,
    /// Whether it was lost on its way.
    pub lost: bool,
}

impl Flight {
    /// The method, or status and method: `INVITE`, `200 BYE`.
    #[must_use]
    pub fn label(&self) -> String {
        label(&self.bytes)
    }

    /// The message as text, for tests that look closely.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// The method, or status and CSeq method.
pub(super) fn label(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut words = text.split_ascii_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if first != "SIP/2.0" {
        return first.to_owned();
    }
    let cseq = text.lines().find_map(|line| line.strip_prefix("CSeq:"));
    let method = cseq.and_then(|value| value.split_ascii_whitespace().nth(1)).unwrap_or_default();
    format!("{second} {method}")
}
