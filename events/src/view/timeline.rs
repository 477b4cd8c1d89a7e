//! A call as a sequence of steps: what came in, what happened, what went out, and when.

use std::time::Duration;

use super::gist::gist;
use crate::call::{Cause, EventKind, Phase};
use crate::schema::{StoredCommit, WireDirection, WireMessage};
use crate::sip::Peer;
use crate::time::Timestamp;

/// One commit as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When it was recorded.
    pub at: Timestamp,
    /// Since the call's first commit.
    pub offset: Duration,
    /// Since the commit before; zero for the first.
    pub gap: Duration,
    /// The input that led to it.
    pub cause: Cause,
    /// Messages that came in with the input.
    pub received: Vec<Message>,
    /// What happened, in order.
    pub entries: Vec<Entry>,
    /// Messages that left once this was durable.
    pub sent: Vec<Message>,
}

/// One event of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Global sequence number.
    pub seq: u64,
    /// Sequence number within the call: the number that evidence cites.
    pub call_seq: u64,
    /// The kind of event.
    pub kind: EventKind,
    /// The phase before it.
    pub before: Phase,
    /// The phase after it.
    pub after: Phase,
    /// What it says, in a few words.
    pub gist: String,
}

/// A SIP message that travelled with a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Received or sent.
    pub direction: WireDirection,
    /// The other end; of a message that was only seen, its sender.
    pub peer: Peer,
    /// Of a message that was only seen: its receiver.
    pub to: Option<Peer>,
    /// Its first line, as it was; bytes that are no UTF-8 are replaced.
    pub start_line: String,
    /// Its method from CSeq, if it has one: a response does not name the request it answers.
    pub method: Option<String>,
    /// Whether it carries a session description.
    pub sdp: bool,
    /// The whole message, as it was.
    pub bytes: Vec<u8>,
}

/// The steps of a call, from its commits in order.
#[must_use]
pub fn timeline(commits: &[StoredCommit]) -> Vec<Step> {
    let Some(first) = commits.first() else { return Vec::new() };
    let mut before = first.commit.at;
    commits
        .iter()
        .map(|stored| {
            let step = step(stored, first.commit.at, before);
            before = stored.commit.at;
            step
        })
        .collect()
}

fn step(stored: &StoredCommit, start: Timestamp, before: Timestamp) -> Step {
    let commit = &stored.commit;
    let (received, sent) =
        commit.wire.iter().map(Message::of).partition(|message| message.direction == WireDirection::In);
    Step {
        at: commit.at,
        offset: commit.at.since(start),
        gap: commit.at.since(before),
        cause: commit.input.cause(),
        received,
        entries: entries(stored),
        sent,
    }
}

fn entries(stored: &StoredCommit) -> Vec<Entry> {
    let mut before = stored.commit.phase_before;
    (0u64..)
        .zip(&stored.commit.events)
        .map(|(offset, happened)| {
            let entry = Entry {
                seq: stored.seq + offset,
                call_seq: stored.commit.version + offset,
                kind: happened.event.kind(),
                before,
                after: happened.phase,
                gist: gist(&happened.event),
            };
            before = happened.phase;
            entry
        })
        .collect()
}

impl Message {
    /// The message as a label needs it.
    #[must_use]
    pub fn of(wire: &WireMessage) -> Self {
        let (head, body) = split(&wire.bytes);
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let start_line = lines.next().unwrap_or_default().trim().to_owned();
        let method = lines.find_map(cseq_method).map(str::to_owned);
        Self {
            direction: wire.direction,
            peer: wire.peer,
            to: wire.to,
            start_line,
            method,
            sdp: body.starts_with(b"v=0"),
            bytes: wire.bytes.clone(),
        }
    }

    /// What an arrow says: `INVITE`, `180 Ringing (INVITE)`.
    #[must_use]
    pub fn label(&self) -> String {
        let sdp = if self.sdp { " SDP" } else { "" };
        match self.start_line.strip_prefix("SIP/2.0 ") {
            Some(status) => match &self.method {
                Some(method) => format!("{status} ({method}){sdp}"),
                None => format!("{status}{sdp}"),
            },
            None => format!("{}{sdp}", self.start_line.split(' ').next().unwrap_or_default()),
        }
    }

    /// The status of a response; none for a request.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.start_line.strip_prefix("SIP/2.0 ")?.split(' ').next()?.parse().ok()
    }
}

fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.windows(4).position(|window| window == b"\r\n\r\n") {
        Some(end) => (bytes.get(..end).unwrap_or_default(), bytes.get(end + 4..).unwrap_or_default()),
        None => (bytes, &[]),
    }
}

/// Only enough of SIP to label an arrow; the crate `callbox-sip` is the one that understands messages.
fn cseq_method(line: &str) -> Option<&str> {
    value(line, &["cseq"])?.split_whitespace().nth(1)
}

fn value<'a>(line: &'a str, names: &[&str]) -> Option<&'a str> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim();
    names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)).then(|| value.trim())
}

/// The values of a header, by its names in full and short; folded lines are not joined.
pub(super) fn header(bytes: &[u8], names: &[&str]) -> Vec<String> {
    let (head, _) = split(bytes);
    let head = String::from_utf8_lossy(head);
    head.lines().skip(1).filter_map(|line| value(line, names)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Transport;

    fn message(text: &str) -> Message {
        let peer = Peer { transport: Transport::Udp, addr: ([127, 0, 0, 1], 5060).into() };
        Message::of(&WireMessage { direction: WireDirection::In, peer, to: None, bytes: text.into() })
    }

    #[test]
    fn arrows_say_what_travelled() {
        for (text, label, status) in [
            ("INVITE sip:bob@h SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\n", "INVITE SDP", None),
            ("SIP/2.0 180 Ringing\r\ncseq : 1 INVITE\r\n\r\n", "180 Ringing (INVITE)", Some(180)),
            ("SIP/2.0 200 OK\r\nCSeq: 2 BYE\r\n\r\n", "200 OK (BYE)", Some(200)),
            ("SIP/2.0 486 Busy Here\r\n\r\n", "486 Busy Here", Some(486)),
            ("NEWMETHOD sip:x SIP/2.0", "NEWMETHOD", None),
            ("", "", None),
        ] {
            let message = message(text);
            assert_eq!((message.label().as_str(), message.status()), (label, status), "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_still_have_a_label() {
        let peer = Peer { transport: Transport::Tcp, addr: ([127, 0, 0, 1], 5060).into() };
        let wire = WireMessage {
            direction: WireDirection::Out,
            peer,
            to: None,
            bytes: vec![0xff, 0x00, b'\n', 0xfe],
        };
        assert_eq!(Message::of(&wire).label(), "\u{fffd}\0");
    }
}
