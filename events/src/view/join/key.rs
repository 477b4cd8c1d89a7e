//! What a call is matched by.

use crate::call::{Event, Input, Signal};
use crate::ids::CallId;
use crate::party::Side;
use crate::schema::StoredCommit;
use crate::sip::{Dialog, Peer};
use crate::time::Timestamp;
use crate::verdict::Direction;
use crate::view::short_uri;
use crate::view::summary::opening;
use crate::view::timeline::header;

/// More To tags and Session-IDs than this are not kept: a stranger chooses them.
const MOST: usize = 16;

/// A call as far as matching needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallKey {
    /// Our id of the call.
    pub call: CallId,
    /// Which end was recorded.
    pub direction: Direction,
    /// The Call-ID header.
    pub sip_call_id: String,
    /// The caller's tag.
    pub from_tag: String,
    /// The callee's tags, as far as they are known: one for each fork.
    pub to_tags: Vec<String>,
    /// Halves of Session-ID (RFC 7989), without the null one.
    pub session_ids: Vec<String>,
    /// The caller's user, in lower case.
    pub from: String,
    /// The called user, in lower case.
    pub to: String,
    /// When the record begins.
    pub started_at: Timestamp,
    /// When the record's last event was.
    pub last_at: Timestamp,
    /// Where the other side is; of an observed call, where its INVITE went.
    pub peer: Peer,
    /// Host and port of our Contact.
    pub local: String,
    /// Whether anything came from the other side, or from the callee of an observed call.
    pub heard: bool,
}

impl CallKey {
    /// The key of a call from its commits; none if they do not begin a call.
    #[must_use]
    pub fn of(commits: &[StoredCommit]) -> Option<Self> {
        let first = &commits.first()?.commit;
        let (direction, from, to, dialog) = opening(&first.events.first()?.event)?;
        let incoming = direction == Direction::Incoming;
        let remote = dialog.remote_tag.clone().unwrap_or_default();
        let mut key = Self {
            call: first.call,
            direction,
            sip_call_id: dialog.sip_call_id.clone(),
            from_tag: if incoming { remote } else { dialog.local_tag.clone() },
            to_tags: if incoming { vec![dialog.local_tag.clone()] } else { Vec::new() },
            session_ids: Vec::new(),
            from: user(from),
            to: user(to),
            started_at: first.at,
            last_at: commits.last().map_or(first.at, |last| last.commit.at),
            peer: dialog.peer,
            local: host_port(dialog),
            heard: false,
        };
        for stored in commits {
            key.absorb(stored);
        }
        Some(key)
    }

    fn absorb(&mut self, stored: &StoredCommit) {
        let commit = &stored.commit;
        let (signal, heard) = match &commit.input {
            Input::Signal(signal) => (Some(signal), signal.is_from_the_other_side()),
            Input::Observed(sight) => (sight.signal(), sight.by == Side::Callee),
            Input::Command(_) | Input::Timer(_) | Input::Recovery(_) => (None, false),
        };
        self.heard |= heard;
        if let Some(signal) = signal {
            let response = match signal {
                Signal::Provisional(response) | Signal::Success(response) | Signal::Failure(response) => {
                    response.to_tag.as_ref()
                }
                Signal::Reachable { .. }
                | Signal::Invite(_)
                | Signal::Cancel(_)
                | Signal::Ack(_)
                | Signal::Bye(_)
                | Signal::Reinvite(_)
                | Signal::Request(_)
                | Signal::CancelAnswered(_)
                | Signal::ByeAnswered(_)
                | Signal::ReinviteAnswered(_)
                | Signal::TimedOut(_)
                | Signal::AckMissing
                | Signal::TransportFailed { .. }
                | Signal::Drained(_) => None,
            };
            if let Some(tag) = response {
                remember(&mut self.to_tags, tag);
            }
        }
        if let Some(Event::Sent { peer }) = commit.events.last().map(|happened| &happened.event) {
            self.peer = *peer;
        }
        for message in &commit.wire {
            for value in header(&message.bytes, &["session-id"]) {
                session_ids(&value, &mut self.session_ids);
            }
        }
    }
}

fn remember(known: &mut Vec<String>, word: &str) {
    if known.len() < MOST && !known.iter().any(|other| other == word) {
        known.push(word.to_owned());
    }
}

/// `ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2`: both halves, the null one left out.
fn session_ids(value: &str, known: &mut Vec<String>) {
    let mut parts = value.split(';').map(str::trim);
    let own = parts.next();
    let remote = parts.find_map(|part| part.strip_prefix("remote="));
    for half in own.into_iter().chain(remote) {
        let is_id = half.len() == 32 && half.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id && half.bytes().any(|byte| byte != b'0') {
            remember(known, &half.to_ascii_lowercase());
        }
    }
}

fn user(uri: &str) -> String {
    let short = short_uri(uri);
    short.split('@').next().unwrap_or_default().to_lowercase()
}

/// `sip:bob@192.0.2.1:5060;transport=tcp` is at `192.0.2.1:5060`.
fn host_port(dialog: &Dialog) -> String {
    let short = short_uri(&dialog.local_contact);
    short.rsplit('@').next().unwrap_or_default().to_owned()
}
