//! What a capture held, and what of it was skipped and why.

use std::collections::BTreeMap;

use serde::Serialize;

use super::net::link::LinkType;

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
            ("cut_off", self.cut, "SIP messages that the capture cut off (snap length)"),
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
            .map(|(reason, count, what)| Skipped { reason, count, what })
            .collect()
    }

    /// Whether every packet was of a link that is not read: then nothing was looked at.
    pub fn is_foreign(&self) -> bool {
        self.packets > 0 && self.links.values().sum::<u64>() == self.packets
    }
}
