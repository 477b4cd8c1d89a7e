//! Listening to the audio of calls: RTP (RFC 3550) with G.711, where a session description wants it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use callbox_events::Timestamp;
use callbox_sip::digest::audio_addresses;
use callbox_sip::observe::tones::g711::Law;
use callbox_sip::observe::tones::{Listener, SAMPLE_RATE, Tone};
use memchr::memmem;

/// The most addresses that are remembered; beyond, the ones silent for longest are forgotten.
const MAX_PLACES: usize = 8192;
/// How much of a stream is listened to: announcements stand at its beginning, and are what costs time.
const MAX_HEARD: u64 = 120 * SAMPLE_RATE as u64;
/// How long a stream may pause and still be the same: silence need not be sent (RFC 3551 §4.1).
const MAX_PAUSE: u32 = 10 * SAMPLE_RATE;
/// How long a stream must be silent before another one to the same address takes its place.
const TURN: Duration = Duration::from_millis(200);

/// Where audio is wanted, and what was heard there.
#[derive(Debug, Default)]
pub struct Audio {
    places: HashMap<SocketAddr, Place>,
    /// Tones that were recognised: when, where, which.
    heard: Vec<(Timestamp, SocketAddr, Tone)>,
}

#[derive(Debug)]
struct Place {
    last: Timestamp,
    stream: Option<Box<Stream>>,
}

/// One source of packets.
#[derive(Debug)]
struct Stream {
    source: SocketAddr,
    ssrc: u32,
    /// The time stamp of the sample wanted next.
    next: u32,
    listener: Listener,
}

/// What matters of a packet.
struct Rtp<'a> {
    law: Law,
    time: u32,
    ssrc: u32,
    payload: &'a [u8],
}

impl Audio {
    /// Looks for addresses in the session description of a message, if it has one.
    pub fn learn(&mut self, message: &[u8], at: Timestamp) {
        let Some(body) = memmem::find(message, b"\r\n\r\n").and_then(|end| message.get(end..)) else {
            return;
        };
        if memmem::find(body, b"m=audio").is_none() {
            return;
        }
        for address in audio_addresses(&String::from_utf8_lossy(body)) {
            if self.places.len() >= MAX_PLACES && !self.places.contains_key(&address) {
                self.forget_some();
            }
            self.places.entry(address).or_insert(Place { last: at, stream: None }).last = at;
        }
    }

    /// Listens to a datagram, if it is audio that somebody wants.
    pub fn datagram(&mut self, at: Timestamp, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        if self.places.is_empty() {
            return;
        }
        let Some(rtp) = Rtp::read(payload) else { return };
        if let Some(place) = self.places.get_mut(&destination) {
            let heard = &mut self.heard;
            place.hear(at, source, &rtp, &mut |tone| heard.push((at, destination, tone)));
        }
    }

    /// The tones that were recognised since last asked.
    pub fn heard(&mut self) -> std::vec::Drain<'_, (Timestamp, SocketAddr, Tone)> {
        self.heard.drain(..)
    }

    /// No more will come.
    pub fn finish(&mut self) {
        let mut all: Vec<SocketAddr> = self.places.keys().copied().collect();
        all.sort_unstable();
        for address in all {
            self.forget(address);
        }
    }

    fn forget(&mut self, address: SocketAddr) {
        if let Some(Place { last, stream: Some(mut stream) }) = self.places.remove(&address) {
            stream.listener.finish(&mut |tone| self.heard.push((last, address, tone)));
        }
    }

    fn forget_some(&mut self) {
        let mut silent: Vec<_> = self.places.iter().map(|(address, place)| (place.last, *address)).collect();
        silent.sort_unstable();
        for (_, address) in silent.into_iter().take(MAX_PLACES / 8) {
            self.forget(address);
        }
    }
}

impl Place {
    fn hear(&mut self, at: Timestamp, source: SocketAddr, rtp: &Rtp<'_>, tell: &mut impl FnMut(Tone)) {
        let silence = at.since(self.last);
        match &mut self.stream {
            Some(stream) if stream.is_of(source, rtp) => stream.hear(rtp, tell),
            // Somebody else sends here too: a forked call, or an attack. One after the other.
            Some(_) if silence < TURN => return,
            stream => {
                if let Some(over) = stream {
                    over.listener.finish(tell);
                }
                let mut new = Stream { source, ssrc: rtp.ssrc, next: rtp.time, listener: Listener::new(at) };
                new.hear(rtp, tell);
                *stream = Some(Box::new(new));
            }
        }
        self.last = at;
    }
}

impl Stream {
    /// Whether the packet goes on with this stream.
    fn is_of(&self, source: SocketAddr, rtp: &Rtp<'_>) -> bool {
        let ahead = rtp.time.wrapping_sub(self.next).cast_signed();
        self.source == source && self.ssrc == rtp.ssrc && ahead.unsigned_abs() <= MAX_PAUSE
    }

    fn hear(&mut self, rtp: &Rtp<'_>, tell: &mut impl FnMut(Tone)) {
        let ahead = rtp.time.wrapping_sub(self.next).cast_signed();
        // Late or repeated packets sound no more.
        if ahead < 0 || self.listener.heard() > MAX_HEARD {
            return;
        }
        self.listener.pause(u64::from(ahead.unsigned_abs()), tell);
        self.listener.push(rtp.payload.iter().map(|byte| rtp.law.sample(*byte)), tell);
        self.next = rtp.time.wrapping_add(u32::try_from(rtp.payload.len()).unwrap_or_default());
    }
}

impl<'a> Rtp<'a> {
    /// RFC 3550 §5.1.
    fn read(datagram: &'a [u8]) -> Option<Self> {
        let (head, rest) = datagram.split_first_chunk::<12>()?;
        let law = Law::of_payload_type(head[1] & 0x7f).filter(|_| head[0] >> 6 == 2)?;
        let (has_padding, has_extension, sources) =
            (head[0] & 0x20 != 0, head[0] & 0x10 != 0, head[0] & 0x0f);
        let mut payload = rest.get(usize::from(sources) * 4..)?;
        if has_extension {
            let (extension, behind) = payload.split_first_chunk::<4>()?;
            payload = behind.get(usize::from(u16::from_be_bytes([extension[2], extension[3]])) * 4..)?;
        }
        if has_padding {
            payload = payload.get(..payload.len().checked_sub(usize::from(*payload.last()?))?)?;
        }
        let number = |at: usize| head.get(at..)?.first_chunk().copied().map(u32::from_be_bytes);
        Some(Self { law, time: number(4)?, ssrc: number(8)?, payload })
    }
}
