//! What a capture held, and what of it was skipped and why.

use std::collections::BTreeMap;

use serde::Serialize;

use super::net::link::LinkType;

/// The reason of messages that the snap length cut off.
const CUT_OFF: &str = "cut_off";

/// Counts of one capture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets of the file.
    pub packets: u64,
    /// SIP messages that were handed on.
    pub messages: u64,
    /// Packets of links that are not read.
    pub links: BTreeMap<LinkType, u64>,
    /// Packets of interfaces that the capture does not declare.
    pub undeclared: u64,
    /// Packets without IP in them, and IP without UDP or TCP in it.
    pub other: u64,
    /// UDP datagrams that hold no SIP: media above all.
    pub not_sip: u64,
    /// Headers that make no sense.
    pub malformed: u64,
    /// SIP messages of which the capture kept a part only.
    pub cut: u64,
    /// The number of the packet, from one on, that held the first of them; 0 if there is none.
    pub first_cut: u64,
    /// SIP messages captured twice on one host.
    pub echoes: u64,
    /// IP packets of which fragments are missing or contradict each other.
    pub fragments: u64,
    /// Places where a TCP stream lacks bytes.
    pub gaps: u64,
    /// Places where a TCP stream with SIP holds something that is no SIP message.
    pub unframed: u64,
    /// WebSocket messages that are compressed or too large.
    pub websocket: u64,
    /// HEP packets that can't be read.
    pub hep: u64,
}

/// One reason why something was skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Stable, for programs.
    pub reason: &'static str,
    /// How often.
    pub count: u64,
    /// For people, without the count.
    pub what: String,
    /// The number of the first packet that it happened to, from one on, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_packet: Option<u64>,
}

impl Tally {
    /// What was skipped although it may have held SIP, by reason; empty if nothing was.
    pub fn skipped(&self) -> Vec<Skipped> {
        let links =
            self.links.iter().map(|(link, count)| ("unsupported_link", *count, format!("packets of {link}")));
        let counted = [
            (
                "undeclared_interface",
                self.undeclared,
                "packets of interfaces that the capture does not declare",
            ),
            ("malformed_headers", self.malformed, "packets with malformed headers"),
            (CUT_OFF, self.cut, "SIP messages that the capture cut off (snap length)"),
            ("captured_twice", self.echoes, "SIP messages captured twice"),
            ("fragments", self.fragments, "IP packets with missing or contradicting fragments"),
            ("tcp_gaps", self.gaps, "places where a TCP stream lacks bytes"),
            ("tcp_unframed", self.unframed, "places where a TCP stream holds no SIP message"),
            ("websocket", self.websocket, "compressed or too large WebSocket messages"),
            ("malformed_hep", self.hep, "malformed HEP packets"),
        ];
        links
            .chain(counted.map(|(reason, count, what)| (reason, count, what.to_owned())))
            .filter(|(_, count, _)| *count > 0)
            .map(|(reason, count, what)| Skipped { reason, count, what, first_packet: None })
            .map(|skipped| if skipped.reason == CUT_OFF { self.with_place(skipped) } else { skipped })
            .collect()
    }

    /// Where a reader finds it in the file.
    fn with_place(&self, skipped: Skipped) -> Skipped {
        let what = format!("{}, the first in packet {}", skipped.what, self.first_cut);
        Skipped { what, first_packet: Some(self.first_cut), ..skipped }
    }

    /// Counts a SIP message in the current packet that is not there as a whole.
    pub fn count_cut(&mut self) {
        self.cut += 1;
        if self.first_cut == 0 {
            self.first_cut = self.packets;
        }
    }

    /// Whether every packet was of a link that is not read: then nothing was looked at.
    pub fn is_foreign(&self) -> bool {
        self.packets > 0 && self.links.values().sum::<u64>() == self.packets
    }
}
