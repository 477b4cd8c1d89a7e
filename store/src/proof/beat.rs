//! Liveness: what shows that nothing arrived although somebody was listening.
//!
//! A journal records what happened. That nothing happened, it can't tell from that nobody listened. So every checkpoint
//! carries a *beat* of each engine: since when it has been listening without a break, on which addresses, and how many
//! messages came and went. Beats are in the checkpoints and not in the journal because a checkpoint is what is signed:
//! the interval, the counters and the tree that holds all there was stand under one signature, and two checkpoints over
//! the same tree say that nothing was recorded between them.

use std::fmt;
use std::str::FromStr;

use callbox_events::Timestamp;
use callbox_events::time::rfc3339;
use serde::Serialize;

/// One engine's statement, made at the time of the checkpoint that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Beat {
    /// The engine's node.
    pub node: String,
    /// It has been listening from then on: the time of its beat before, or when it began to listen.
    #[serde(with = "rfc3339")]
    pub since: Timestamp,
    /// SIP messages that came in meanwhile.
    pub received: u64,
    /// SIP messages that went out meanwhile.
    pub sent: u64,
    /// Where it listens: `udp:127.0.0.1:5060`.
    pub listening: Vec<String>,
}

/// What an engine counts, for [`Liveness`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// The engine's node.
    pub node: String,
    /// Where it listens; empty if it doesn't any more.
    pub listening: Vec<String>,
    /// SIP messages that came in since it began to listen.
    pub received: u64,
    /// SIP messages that went out since it began to listen.
    pub sent: u64,
}

/// Somebody who listens and can say so.
pub trait Liveness: Send + Sync {
    /// How it is now. Called by the journal each time it makes a checkpoint; must not block.
    fn presence(&self) -> Presence;
}

/// A text that is no beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a beat reads like node=NAME since=TIME received=N sent=N on=udp:IP:PORT")]
pub struct InvalidBeat;

impl fmt::Display for Beat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, since, received, sent, listening } = self;
        write!(f, "node={} since={since} received={received} sent={sent}", escaped(node))?;
        listening.iter().try_for_each(|address| write!(f, " on={}", escaped(address)))
    }
}

impl FromStr for Beat {
    type Err = InvalidBeat;

    fn from_str(text: &str) -> Result<Self, InvalidBeat> {
        let (mut node, mut since, mut received, mut sent) = (None, None, None, None);
        let mut listening = Vec::new();
        for field in text.split(' ') {
            let (key, value) = field.split_once('=').ok_or(InvalidBeat)?;
            match key {
                "node" => node = Some(unescaped(value).ok_or(InvalidBeat)?),
                "since" => since = value.parse().ok(),
                "received" => received = value.parse().ok(),
                "sent" => sent = value.parse().ok(),
                "on" => listening.push(unescaped(value).ok_or(InvalidBeat)?),
                // A field of a later version.
                _ => {}
            }
        }
        let all = || Some(Self { node: node?, since: since?, received: received?, sent: sent?, listening });
        all().ok_or(InvalidBeat)
    }
}

/// `%XX` for what would end a field or a line.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '%' | '=' | ' ' | '\0'..='\x1f' | '\x7f' => out.push_str(&format!("%{:02X}", u32::from(char))),
            plain => out.push(plain),
        }
    }
    out
}

fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        out.push(char::from(u8::from_str_radix(code, 16).ok().filter(u8::is_ascii)?));
        out.push_str(rest);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_name_reads_back_from_one_line(node in any::<String>(), on in any::<Vec<String>>(), sent: u64) {
            let node: String = node.chars().filter(|char| !char.is_control() || char.is_ascii()).collect();
            let since = Timestamp::from_micros(1_700_000_000_000_000);
            let beat = Beat { node, since, received: 0, sent, listening: on };
            let text = beat.to_string();
            prop_assert!(!text.contains(['\n', '\r']));
            prop_assert_eq!(text.parse(), Ok(beat));
        }

        #[test]
        fn any_text_is_a_beat_or_refused(text in "[a-z=% 0-9]{0,60}") {
            let _ = text.parse::<Beat>();
        }
    }
}
