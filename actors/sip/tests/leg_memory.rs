//! A connected leg is small: an engine holds tens of thousands.

#![allow(clippy::unwrap_used, missing_docs)]

mod world;

use callbox_events::Timestamp;
use callbox_events::call::Effect;
use callbox_events::sip::Transport;
use callbox_sip::ids::SeededIds;
use callbox_sip::leg::{Leg, Outbox};
use callbox_sip::wire::{Limits, parse};
use world::{ANSWER, OFFER, address, config};

fn connected(number: u32) -> Leg {
    let request = |method: &str, cseq: u32, tag: &str, body: &str| {
        let text = format!(
            "{method} sip:service@10.0.0.2:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK-{cseq}\r\n\
             From: ann <sip:ann@10.0.0.1:5060>;tag={number}SIPpTag\r\nTo: <sip:service@10.0.0.2:5060>{tag}\r\n\
             Call-ID: {number}-12345@10.0.0.1\r\nCSeq: 1 {method}\r\nContact: <sip:ann@10.0.0.1:5060>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        parse(text.into(), &Limits::default()).unwrap()
    };
    let (now, peer) = (Timestamp::from_micros(1), address('a', Transport::Udp));
    let mut out = Outbox::new();
    let invite = request("INVITE", 1, "", OFFER);
    let (mut leg, _) =
        Leg::incoming(&invite, peer, "tag-b".to_owned(), config('b', Transport::Udp), now).unwrap();
    let answer =
        Effect::Respond { status: 200, sdp: true, reasons: Vec::new(), contact: None, retry_after: None };
    leg.perform(now, &answer, Some(ANSWER), &mut SeededIds::new(1), &mut out).unwrap();
    leg.receive(now, request("ACK", 2, ";tag=tag-b", ""), peer, &mut out);
    assert_eq!(out.signals.len(), 1, "the ACK");
    leg
}

/// Resident bytes of this process.
fn resident() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

#[test]
fn a_connected_leg_takes_at_most_two_kibibytes() {
    let warm: Vec<Leg> = (0..1_000).map(connected).collect();
    let Some(before) = resident() else { return println!("skipped: no /proc") };
    let legs: Vec<Leg> = (1_000..6_000).map(connected).collect();
    let each = (resident().unwrap().saturating_sub(before)) / legs.len();
    println!("{each} bytes a connected leg, of which {} inline", size_of::<Leg>());
    assert!(each <= 2 * 1024, "{each} bytes");
    drop((warm, legs));
}
