//! Runs one step of reading or writing a message many times, to count instructions with
//! `valgrind --tool=callgrind target/release/examples/instructions <step> <times>`: the difference between two
//! counts of `times` is the price of the step, free of start-up.

use std::hint::black_box;
use std::net::SocketAddr;

use bytes::Bytes;
use callbox_sip::wire::{HeaderName, Limits, Message, Writer, bridge, call_id_of, parse};

const INVITE: &[u8] = include_bytes!("../tests/common/invite.sip");

fn main() {
    let mut arguments = std::env::args().skip(1);
    let step = arguments.next().unwrap_or_default();
    let times: u32 = arguments.next().and_then(|times| times.parse().ok()).unwrap_or(1);
    let limits = Limits::default();
    let Ok(invite) = parse(Bytes::from_static(INVITE), &limits) else { return };
    let Ok(rsip_invite) = rsip::SipMessage::try_from(INVITE) else { return };
    for _ in 0..times {
        // A datagram arrives in memory of its own.
        let datagram = Bytes::from(black_box(INVITE).to_vec());
        match step.as_str() {
            "none" => drop(black_box(datagram)),
            "call-id" => drop(black_box(call_id_of(&datagram).map(<[u8]>::len))),
            "scan" => drop(black_box(parse(datagram, &limits))),
            "keys" => drop(black_box(parse(datagram, &limits).map(|message| route_keys(&message)))),
            "rsip-values" => {
                drop(black_box(parse(datagram, &limits).map(|message| bridge::to_rsip(&message))))
            }
            "write" => drop(black_box(ringing(&invite))),
            "rsip-parse" => drop(black_box(rsip::SipMessage::try_from(&datagram[..]))),
            "rsip-print" => drop(black_box(rsip_invite.to_string())),
            _ => return eprintln!("none, call-id, scan, keys, rsip-values, write, rsip-parse, rsip-print"),
        }
    }
}

fn route_keys(message: &Message) {
    black_box((message.call_id(), message.branch(), message.cseq(), message.from_tag(), message.to_tag()));
}

fn ringing(invite: &Message) -> Bytes {
    let source = SocketAddr::from(([192, 0, 2, 17], 5060));
    let reply = Writer::reply(invite, 180, Some("8c1f0e6a"), source);
    reply.header(&HeaderName::Contact, "<sip:callbox@192.0.2.4:5060>").finish().unwrap_or_default()
}
