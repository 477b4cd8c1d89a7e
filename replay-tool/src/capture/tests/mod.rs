//! Captures made byte by byte, and the messages that come out of them.

mod audio;
mod files;
mod links;
mod packets;
mod properties;
mod streams;
mod websocket;

use std::net::SocketAddr;

use callbox_events::Timestamp;
use callbox_sip::observe::tones::Tone;

use super::{Capture, Outcome, Sighting, Sink};

/// What comes out of a capture.
struct Seen {
    outcome: Outcome,
    sightings: Vec<Sighting>,
    tones: Vec<(SocketAddr, Tone)>,
}

/// Remembers everything, and that it comes in order.
#[derive(Default)]
struct Witness {
    sightings: Vec<Sighting>,
    tones: Vec<(SocketAddr, Tone)>,
    last: Timestamp,
}

impl Sink for Witness {
    fn see(&mut self, sighting: Sighting) {
        self.last = sighting.at;
        self.sightings.push(sighting);
    }

    fn hear(&mut self, at: Timestamp, media: SocketAddr, tone: Tone) {
        assert!(at >= self.last && at >= tone.from);
        self.tones.push((media, tone));
    }
}

fn import(capture: &[u8]) -> Seen {
    let mut witness = Witness::default();
    let outcome = Capture::open(capture).unwrap().read(&mut witness, &mut || {});
    Seen { outcome, sightings: witness.sightings, tones: witness.tones }
}

impl Seen {
    /// The messages by their Call-IDs.
    fn calls(&self) -> Vec<String> {
        let call_id =
            |sighting: &Sighting| callbox_sip::wire::call_id_of(&sighting.bytes).map(<[u8]>::to_vec);
        let text = |id: Option<Vec<u8>>| String::from_utf8(id.unwrap_or_else(|| b"?".into())).unwrap();
        self.sightings.iter().map(|sighting| text(call_id(sighting))).collect()
    }

    /// Reasons for what was skipped, each with its count.
    fn skipped(&self) -> Vec<(&'static str, u64)> {
        self.outcome.tally.skipped().into_iter().map(|skipped| (skipped.reason, skipped.count)).collect()
    }
}

/// A whole message whose Call-ID is `id`, with `body` bytes behind its header.
fn message(id: &str, body: usize) -> Vec<u8> {
    let head = format!("BYE sip:bob@192.0.2.2 SIP/2.0\r\nCall-ID: {id}\r\nContent-Length: {body}\r\n\r\n");
    [head.as_bytes(), &vec![b'b'; body]].concat()
}

const ALICE: &str = "192.0.2.1:5062";
const BOB: &str = "192.0.2.2:6000";
