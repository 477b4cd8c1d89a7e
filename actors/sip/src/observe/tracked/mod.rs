//! One observed call: which of its messages are new, what they mean, and what is waited for.

mod messages;
mod restored;
mod writing;

pub(super) use restored::Restored;

use callbox_events::Timestamp;
use callbox_events::call::observed::{Again, Seen, Sight};
use callbox_events::call::{Phase, Tone};
use callbox_events::party::Side;
use callbox_events::schema::Commit;
use callbox_events::sip::MediaDirection;
use smallvec::SmallVec;

use super::Sighting;
use super::attempt::Attempt;
use super::config::ObserverConfig;
use super::due::{Deadlines, Due};
use super::held::Held;
use super::known::{Identity, Known};
use super::opening::First;
use super::parties::Parties;
use super::record::{Record, wire};
use crate::digest;
use crate::wire::Message;

/// A call that is being watched.
#[derive(Debug, Clone)]
pub(super) struct Tracked {
    pub record: Record,
    pub sip_call_id: String,
    pub parties: Parties,
    pub deadlines: Deadlines,
    pub last_seen: Timestamp,
    pub released: bool,
    config: ObserverConfig,
    known: Known,
    attempt: Attempt,
    held: Option<Held>,
    /// Whether the INVITE travelled by datagrams, so that it would have come again.
    datagrams: bool,
    offers: SmallVec<[(Side, u32, Option<MediaDirection>); 1]>,
    again: Again,
    /// Tones on record: whose audio, which tone, and whether it was heard after the answer.
    tones: SmallVec<[(Side, Tone, bool); 2]>,
    oddities: u32,
    stray: u32,
    repeated: bool,
    /// Restored from its record, and nothing was seen of it since.
    pub dormant: bool,
    /// Nobody watched between the end of its record and the next thing that is written into it.
    away: bool,
}

impl Tracked {
    /// A call whose first message this is, and what is written down of it.
    pub(super) fn begin(
        message: &Message,
        sighting: &Sighting,
        first: First,
        record: Record,
        config: ObserverConfig,
    ) -> (Self, Vec<Commit>) {
        let opening = Box::new(first.opening.clone());
        let mut call = Self::new(message, sighting, first, record, config);
        let mut commits = Vec::new();
        if is_initial(message) {
            let seen = Seen::Invite { opening, request: digest::request(message) };
            let sight = call.sight(message, Side::Caller, Side::Caller, seen);
            call.write(sight, sighting.at, Some(wire(sighting, config.max_bytes)), &mut commits);
        } else {
            let sight = Sight::new(Side::Nobody, None, Seen::Midway { opening });
            call.write(sight, sighting.at, None, &mut commits);
            call.parties.meet(message, sighting);
            call.see(message, sighting, &mut commits);
        }
        call.parties.meet(message, sighting);
        call.deadlines.set(Due::Idle, sighting.at + config.idle);
        (call, commits)
    }

    /// What is known of a call from its first message. An INVITE counts as seen; any other is yet to be.
    fn new(
        message: &Message,
        sighting: &Sighting,
        first: First,
        record: Record,
        config: ObserverConfig,
    ) -> Self {
        let has_invite = is_initial(message);
        let attempt = match (has_invite, message.method().as_str()) {
            (true, _) => Attempt::new(message, sighting),
            (false, "INVITE" | "CANCEL") if message.to_tag().is_none() || !message.is_request() => {
                Attempt::unseen(message.cseq().0, sighting.at)
            }
            (false, _) => Attempt::unseen(u32::MAX, sighting.at),
        };
        let mut call = Self {
            record,
            sip_call_id: message.call_id().to_owned(),
            parties: Parties::new(first.caller_tag, first.oriented, has_invite.then_some(sighting.source)),
            deadlines: Deadlines::default(),
            last_seen: sighting.at,
            released: false,
            config,
            known: Known::default(),
            attempt,
            held: None,
            datagrams: !sighting.transport.is_reliable(),
            offers: SmallVec::new(),
            again: Again::default(),
            tones: SmallVec::new(),
            oddities: 0,
            stray: 0,
            repeated: false,
            dormant: false,
            away: false,
        };
        if has_invite {
            call.parties.note_request(message, Side::Caller);
            call.known.take(Identity::of(message, 0), sighting, config.max_known);
            call.deadlines.set(Due::NoResponse, sighting.at + config.sip.patience());
        }
        call
    }

    /// Whether a new INVITE without a To tag, of this number, goes on with this call.
    pub(super) fn takes_invite(&self, cseq: u32) -> bool {
        cseq == self.attempt.cseq || (cseq > self.attempt.cseq && self.is_in_setup())
    }

    /// Whether it was not answered yet.
    pub(super) fn is_in_setup(&self) -> bool {
        matches!(self.record.phase(), Phase::Calling | Phase::Early)
    }

    pub(super) fn is_over(&self) -> bool {
        self.record.phase() == Phase::Ended
    }

    /// Whose message it is, if that can be told.
    pub(super) fn speaker(&self, message: &Message, sighting: &Sighting) -> Option<Side> {
        let requester = self.parties.requester(message, sighting, self.attempt.cseq)?;
        Some(self.parties.sender(message, requester))
    }

    /// A tone in the audio: told once before the answer and once after it, however often it begins again and on however
    /// many hops it is heard.
    pub(super) fn hear(&mut self, sight: Sight, tone: Tone, at: Timestamp, commits: &mut Vec<Commit>) {
        let key = (sight.by, tone, !self.is_in_setup());
        if !self.tones.contains(&key) {
            self.tones.push(key);
            self.queue(sight, at, None, commits);
        }
    }

    /// What another call has to do with this one.
    pub(super) fn related(&mut self, sight: Sight, at: Timestamp, commits: &mut Vec<Commit>) {
        self.queue(sight, at, None, commits);
    }
}

/// Whether a message is an INVITE that begins a call, or goes on with its beginning.
fn is_initial(message: &Message) -> bool {
    message.is_request() && message.method().as_str() == "INVITE" && message.to_tag().is_none()
}
