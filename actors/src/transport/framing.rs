//! What comes in on a stream: messages and keep-alives (RFC 3261 §18.3, RFC 5626 §3.5.1), cut by `callbox-sip`'s framer.
//!
//! A good message goes to the router as its bytes, so that both kinds of transport behave alike there. A bad one is
//! answered here, since the framer alone knows what is left of it.

use std::net::SocketAddr;

use bytes::Bytes;
use callbox_sip::wire::{Framer, Limits};

/// The answer to a keep-alive.
const PONG: &[u8] = b"\r\n";

/// The tag of answers without state: the same request gets the same one (RFC 3261 §8.2.7).
const TAG: &str = "unusable";

/// Cuts one stream.
#[derive(Debug)]
pub(super) struct Frames {
    framer: Framer,
    other: SocketAddr,
}

/// What some bytes led to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// Whole messages.
    pub messages: Vec<Bytes>,
    /// What is to be sent back at once: answers to keep-alives and to unusable requests.
    pub answers: Vec<Bytes>,
    /// Why the stream can't go on: it is not known where the next message begins.
    pub broken: Option<String>,
}

impl Frames {
    /// At the start of a stream from `other`.
    pub(super) fn new(max_message: usize, other: SocketAddr) -> Self {
        Self { framer: Framer::new(Limits { max_message, ..Limits::default() }), other }
    }

    /// Whether a message is begun and not complete.
    pub(super) fn is_unfinished(&self) -> bool {
        self.framer.pending() > 0
    }

    /// Takes bytes.
    pub(super) fn cut(&mut self, bytes: &[u8]) -> Cut {
        let mut cut = Cut::default();
        self.framer.push(bytes);
        while let Some(next) = self.framer.next() {
            match next {
                Ok(message) => cut.messages.push(message.raw),
                Err(error) => {
                    let answer = error.reply.as_ref().and_then(|reply| reply.to_bytes(TAG, self.other).ok());
                    cut.answers.extend(answer);
                    if self.framer.is_broken() {
                        cut.broken = Some(format!("the stream can't be cut into messages: {error}"));
                    }
                }
            }
        }
        cut.answers.extend((0..self.framer.take_pings()).map(|_| Bytes::from_static(PONG)));
        cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(length: &str) -> String {
        format!(
            "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1\r\n\
             From: <sip:b@127.0.0.1>;tag=1\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\
             Max-Forwards: 70\r\n{length}\r\n"
        )
    }

    fn frames() -> Frames {
        Frames::new(4_096, SocketAddr::from(([127, 0, 0, 1], 9)))
    }

    #[test]
    fn messages_and_keep_alives_come_out_however_the_stream_is_cut() {
        let message = options("Content-Length: 0\r\n");
        let stream = format!("\r\n\r\n{message}\r\n\r\n{message}");
        for size in [1, 7, 100, stream.len()] {
            let mut frames = frames();
            let (mut messages, mut answers) = (0, 0);
            for piece in stream.as_bytes().chunks(size) {
                let cut = frames.cut(piece);
                assert_eq!(cut.broken, None);
                messages += cut.messages.len();
                answers += cut.answers.len();
            }
            assert_eq!((messages, answers, frames.is_unfinished()), (2, 2, false), "pieces of {size}");
        }
    }

    #[test]
    fn a_request_without_a_length_is_answered_and_breaks_the_stream() {
        let cut = frames().cut(options("").as_bytes());
        assert!(cut.messages.is_empty());
        assert!(
            cut.answers.first().is_some_and(|answer| answer.starts_with(b"SIP/2.0 400 ")),
            "{:?}",
            cut.answers
        );
        assert!(cut.broken.is_some());
    }

    #[test]
    fn a_message_that_never_ends_is_cut_off_at_the_limit() {
        let mut frames = frames();
        let mut taken = 0;
        let broken = (0..100).find_map(|_| {
            taken += 100;
            frames.cut(&[b'x'; 100]).broken
        });
        assert!(broken.is_some());
        assert!(taken <= 4_096 + 100, "{taken} bytes were taken");
    }
}
