//! Captures of other people's calls: from the bytes of a file to SIP messages.
//!
//! 1. [`input`] opens a file or standard input, unpacks gzip, and counts how far it is read.
//! 2. [`file`](mod@file) tells pcap, pcapng and HEP apart and gives one packet after the other, in bounded memory.
//! 3. [`dissect`] takes a packet apart: [`net`] from the link to the datagram, [`tcp`] from segments to messages.
//!    SIP is recognised by its content, on any port; all else is dropped after a glance.
//! 4. [`audio`] listens for tones where session descriptions want audio.
//! 5. [`order`] hands messages and tones on by their time.
//!
//! Everything is bounded: a capture is foreign bytes, and may be large. What is skipped is counted in a [`Tally`].

mod audio;
mod dissect;
mod echo;
mod file;
pub mod input;
mod net;
mod order;
mod tally;
mod tcp;

use std::net::SocketAddr;

use callbox_events::Timestamp;
use callbox_sip::observe::Sighting;
use callbox_sip::observe::tones::Tone;

pub use dissect::Dissector;
pub use file::{Broken, Format, NotACapture};
pub use tally::Tally;

/// Who is told what a capture shows, by the order of time.
pub trait Sink {
    /// A SIP message passed.
    fn see(&mut self, sighting: Sighting);

    /// A tone was recognised, at its end or once it was sure, in audio that was sent to `media`: an address that a
    /// session description in the capture names.
    fn hear(&mut self, at: Timestamp, media: SocketAddr, tone: Tone);

    /// Whether it is no use to go on.
    fn is_closed(&self) -> bool {
        false
    }
}

/// What reading a capture came to.
#[derive(Debug)]
pub struct Outcome {
    /// What it was.
    pub format: Format,
    /// What was in it and what was skipped.
    pub tally: Tally,
    /// Where it broke, if it did; everything before that was read.
    pub broken: Option<Broken>,
}

/// A capture that was recognised.
pub struct Capture<R>(file::Reader<R>);

impl<R: std::io::Read> Capture<R> {
    /// Looks at the first bytes.
    ///
    /// # Errors
    /// [`NotACapture`] if it is none that we read, or can't be read at all.
    pub fn open(input: R) -> Result<Self, NotACapture> {
        file::Reader::open(input).map(Self)
    }

    /// Reads it to its end, or to where it breaks. `step` is called every few hundred packets, for a progress bar.
    pub fn read(mut self, sink: &mut impl Sink, step: &mut dyn FnMut()) -> Outcome {
        let mut dissector = Dissector::new();
        let broken = loop {
            match self.0.next() {
                Ok(Some(file::Record::Packet(packet))) => dissector.packet(&packet, sink),
                Ok(Some(file::Record::Hep(bytes))) => dissector.hep(bytes, Timestamp::default(), sink),
                Ok(None) => break None,
                Err(broken) => break Some(broken),
            }
            if dissector.tally().packets.is_multiple_of(512) {
                step();
                if sink.is_closed() {
                    break None;
                }
            }
        };
        let mut tally = dissector.finish(sink);
        tally.undeclared = self.0.undeclared();
        Outcome { format: self.0.format(), tally, broken }
    }
}

#[cfg(test)]
mod tests;
