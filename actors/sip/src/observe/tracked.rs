//! One observed call: which of its messages are new, what they mean, and what is waited for.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

use callbox_events::Timestamp;
use callbox_events::call::observed::{Again, Seen, Sight, Stop};
use callbox_events::call::{Pending, Phase, Signal};
use callbox_events::party::Side;
use callbox_events::schema::{Commit, WireMessage};
use callbox_events::sip::{Counters, MediaDirection};
use smallvec::SmallVec;

use super::attempt::Attempt;
use super::config::ObserverConfig;
use super::due::{Deadlines, Due};
use super::held::Held;
use super::known::{Identity, Known, Novelty};
use super::opening::First;
use super::record::{Record, wire};
use super::{Sighting, classify};
use crate::digest;
use crate::wire::{Message, SipUri};

/// So many copies of an INVITE say that its sender got no response; without them the responses took another way.
const COPIES_WITHOUT_RESPONSE: u32 = 3;
/// More notes than this on messages that do not fit are not taken of one call.
const MOST_ODDITIES: u32 = 16;
/// More addresses than this are not told apart.
const MOST_ADDRESSES: usize = 16;
/// More changes of media at once than this are not followed.
const MOST_OFFERS: usize = 4;
/// Responses to older requests than so many are known by their tags alone.
const MOST_REQUESTS: usize = 16;

/// A call that is being watched.
#[derive(Debug, Clone)]
pub(super) struct Tracked {
    pub record: Record,
    pub sip_call_id: String,
    pub caller_tag: String,
    pub deadlines: Deadlines,
    pub last_seen: Timestamp,
    pub released: bool,
    config: ObserverConfig,
    /// Whether it is known which end is the caller.
    oriented: bool,
    known: Known,
    attempt: Attempt,
    held: Option<Held>,
    /// Addresses that had a part in the call; none once a name in a Contact may stand for any.
    addresses: Option<SmallVec<[IpAddr; 4]>>,
    /// Whether the INVITE travelled by datagrams, so that it would have come again.
    datagrams: bool,
    offers: SmallVec<[(Side, u32, Option<MediaDirection>); 1]>,
    /// The transactions of the last requests, and whose they are.
    requests: SmallVec<[(u64, Side); 4]>,
    /// Where the INVITE came from on the first hop.
    caller: Option<SocketAddr>,
    again: Again,
    oddities: u32,
    stray: u32,
    repeated: bool,
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
        let has_invite =
            message.is_request() && message.method().as_str() == "INVITE" && message.to_tag().is_none();
        let attempt = match (has_invite, message.method().as_str()) {
            (true, _) => Attempt::new(message),
            (false, "INVITE" | "CANCEL") if message.to_tag().is_none() || !message.is_request() => {
                Attempt::unseen(message.cseq().0)
            }
            (false, _) => Attempt::unseen(u32::MAX),
        };
        let mut call = Self {
            record,
            sip_call_id: message.call_id().to_owned(),
            caller_tag: first.caller_tag,
            deadlines: Deadlines::default(),
            last_seen: sighting.at,
            released: false,
            config,
            oriented: first.oriented,
            known: Known::default(),
            attempt,
            held: None,
            addresses: Some(SmallVec::new()),
            datagrams: !sighting.transport.is_reliable(),
            offers: SmallVec::new(),
            requests: SmallVec::new(),
            caller: has_invite.then_some(sighting.source),
            again: Again::default(),
            oddities: 0,
            stray: 0,
            repeated: false,
        };
        let opening = Box::new(first.opening);
        let mut commits = Vec::new();
        if has_invite {
            call.note_request(message, Side::Caller);
            call.known.take(Identity::of(message, 0), sighting, config.max_known);
            let sight = call.sight(
                message,
                Side::Caller,
                Side::Caller,
                Seen::Invite { opening, request: digest::request(message) },
            );
            call.deadlines.set(Due::NoResponse, sighting.at + config.sip.patience());
            call.write(sight, sighting.at, Some(wire(sighting, config.max_bytes)), &mut commits);
        } else {
            let sight = Sight::new(Side::Nobody, None, Seen::Midway { opening });
            call.write(sight, sighting.at, None, &mut commits);
            call.meet(message, sighting);
            call.see(message, sighting, &mut commits);
        }
        call.meet(message, sighting);
        call.deadlines.set(Due::Idle, sighting.at + config.idle);
        (call, commits)
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

    /// A message of this call.
    pub(super) fn see(&mut self, message: &Message, sighting: &Sighting, commits: &mut Vec<Commit>) {
        self.last_seen = self.last_seen.max(sighting.at);
        if !self.is_over() {
            self.deadlines.set(Due::Idle, sighting.at + self.config.idle);
        }
        let requester = classify::requester(message, &self.caller_tag);
        let Some(requester) = requester.or_else(|| self.asked_by(message, sighting)) else {
            let what = classify::what(message);
            return self.oddity(Seen::Stray { what }, sighting, commits);
        };
        // A proxy cancels, and hears failures, on its own account: not the same message as above it.
        let apart = match message.status() {
            Some(300..) => true,
            Some(_) => false,
            None => message.method().as_str() == "CANCEL",
        };
        self.note_request(message, requester);
        let extra =
            u32::from(apart && self.attempt.is_below(message)) + 2 * u32::from(requester == Side::Callee);
        match self.known.take(Identity::of(message, extra), sighting, self.config.max_known) {
            Novelty::New => self.see_new(message, sighting, requester, commits),
            Novelty::Relayed => self.see_relayed(message, sighting, requester, commits),
            Novelty::Again(copies) => self.see_again(message, sighting, requester, copies, commits),
            Novelty::Unknown => self.stray += 1,
        }
        self.meet(message, sighting);
    }

    fn see_new(
        &mut self,
        message: &Message,
        sighting: &Sighting,
        requester: Side,
        commits: &mut Vec<Commit>,
    ) {
        let tag = message.to_tag().map(str::to_owned);
        let initial = message.is_request() && message.method().as_str() == "INVITE" && tag.is_none();
        let by = self.sender(message, requester);
        let seen = if initial {
            self.overcome(commits);
            self.attempt = Attempt::new(message);
            Some(Seen::Retried {
                credentials: classify::has_credentials(message),
                request: digest::request(message),
            })
        } else if message.is_request() {
            self.note_offer(message, requester);
            Some(classify::request(message, &self.attempt))
        } else {
            if self.attempt.cseq == u32::MAX && message.method().as_str() == "INVITE" && self.is_in_setup() {
                self.attempt = Attempt::unseen(message.cseq().0);
            }
            classify::response(message, requester, &mut self.attempt)
        };
        let Some(seen) = seen else { return };
        let mut sight = self.sight(message, by, requester, seen);
        if let Some(Signal::ReinviteAnswered(_)) = sight.signal() {
            sight.offer = self.offer_of(requester, message.cseq().0);
        }
        if let Some(Signal::Success(_)) = sight.signal() {
            self.attempt.success.get_or_insert(tag);
        }
        self.put(sight, sighting, commits);
    }

    /// The same message on its next hop: drawn, and a branch more or less.
    fn see_relayed(
        &mut self,
        message: &Message,
        sighting: &Sighting,
        requester: Side,
        commits: &mut Vec<Commit>,
    ) {
        let is_initial =
            message.is_request() && message.method().as_str() == "INVITE" && message.to_tag().is_none();
        let by = self.sender(message, requester);
        if is_initial && self.attempt.relayed(message) && self.held.is_some() {
            self.overcome(commits);
            let seen = Seen::Retried { credentials: false, request: digest::request(message) };
            let sight = self.sight(message, by, requester, seen);
            return self.put(sight, sighting, commits);
        }
        if message.status() != Some(100) {
            let seen = Seen::Relayed { what: classify::what(message) };
            let sight = Sight::new(by, classify::callee_tag(message, requester), seen);
            self.put(sight, sighting, commits);
        }
    }

    /// A copy: counted. The first one after the end is a race.
    fn see_again(
        &mut self,
        message: &Message,
        sighting: &Sighting,
        requester: Side,
        copies: u32,
        commits: &mut Vec<Commit>,
    ) {
        self.again.all = self.again.all.saturating_add(1);
        let (cseq, method) = message.cseq();
        if requester == Side::Caller && method.as_str() == "INVITE" && cseq == self.attempt.cseq {
            match message.status() {
                None => self.attempt.copies = self.attempt.copies.max(copies),
                Some(200..=299) => self.again.answer = self.again.answer.max(copies),
                Some(_) => {}
            }
        }
        if self.is_over() && !self.repeated {
            self.repeated = true;
            let seen = Seen::Repeated { what: classify::what(message) };
            let sight = Sight::new(self.sender(message, requester), None, seen);
            self.put(sight, sighting, commits);
        }
    }

    /// The message that follows had to be mended before it could be read.
    pub(super) fn mended(&mut self, problem: Option<String>, sighting: &Sighting, commits: &mut Vec<Commit>) {
        if let Some(problem) = problem
            && self.oddities < MOST_ODDITIES
        {
            self.oddities = self.oddities.saturating_add(1);
            // Its bytes go with what it means.
            let sight = Sight::new(Side::Unknown, None, Seen::Malformed { problem, mended: true });
            self.queue(sight, sighting.at, None, commits);
        }
    }

    /// Bytes with this Call-ID that could not be read.
    pub(super) fn malformed(&mut self, problem: String, sighting: &Sighting, commits: &mut Vec<Commit>) {
        self.oddity(Seen::Malformed { problem, mended: false }, sighting, commits);
    }

    fn oddity(&mut self, seen: Seen, sighting: &Sighting, commits: &mut Vec<Commit>) {
        self.stray = self.stray.saturating_add(1);
        self.oddities = self.oddities.saturating_add(1);
        if self.oddities <= MOST_ODDITIES {
            self.put(Sight::new(Side::Unknown, None, seen), sighting, commits);
        }
    }

    /// What another call has to do with this one.
    pub(super) fn related(&mut self, sight: Sight, at: Timestamp, commits: &mut Vec<Commit>) {
        self.queue(sight, at, None, commits);
    }

    /// The next deadline has come.
    pub(super) fn fire(&mut self, now: Timestamp, commits: &mut Vec<Commit>) {
        let Some((at, due)) = self.deadlines.pop(now) else { return };
        let signal = match due {
            Due::Held => return self.give_up(commits),
            Due::Idle => return self.stop(Stop::Idle, at, commits),
            Due::Release => return self.release(at, commits),
            Due::NoResponse if self.attempt.answered || !self.was_repeated() => return,
            Due::NoResponse => Signal::TimedOut(Pending::Invite),
            Due::AckMissing => Signal::AckMissing,
            Due::Cancel => Signal::TimedOut(Pending::Cancel),
            Due::Bye => Signal::TimedOut(Pending::Bye),
        };
        self.queue(Sight::new(Side::Nobody, None, Seen::Signal(signal)), at, None, commits);
    }

    /// Nothing more will be seen.
    pub(super) fn stop(&mut self, stop: Stop, at: Timestamp, commits: &mut Vec<Commit>) {
        self.give_up(commits);
        if !self.is_over() {
            self.write(Sight::new(Side::Nobody, None, Seen::Stopped(stop)), at, None, commits);
        }
        self.release(at, commits);
    }

    fn release(&mut self, at: Timestamp, commits: &mut Vec<Commit>) {
        let counters = Counters { sent_again: 0, received_again: self.again.all, stray: self.stray };
        let seen = Seen::Signal(Signal::Drained(counters));
        self.write(Sight::new(Side::Nobody, None, seen), at, None, commits);
        self.released = true;
    }

    /// Only who hears nothing sends again and again.
    fn was_repeated(&self) -> bool {
        self.datagrams && self.attempt.copies >= COPIES_WITHOUT_RESPONSE
    }

    fn put(&mut self, mut sight: Sight, sighting: &Sighting, commits: &mut Vec<Commit>) {
        sight.stranger = sight.signal().is_some() && self.is_stranger(sighting);
        if self.record.events() >= self.config.max_messages && !is_vital(&sight) {
            self.stray = self.stray.saturating_add(1);
            return;
        }
        self.queue(sight, sighting.at, Some(wire(sighting, self.config.max_bytes)), commits);
    }

    /// Writes a sight down, or keeps it while it is open whether the failure before it was the last.
    fn queue(&mut self, sight: Sight, at: Timestamp, wire: Option<WireMessage>, commits: &mut Vec<Commit>) {
        let is_cancel = matches!(sight.signal(), Some(Signal::Cancel(_)));
        if is_cancel {
            self.give_up(commits);
            self.attempt.cancelled = true;
        }
        if let Some(held) = &mut self.held {
            if held.push((sight, at, wire)) {
                return;
            }
            return self.give_up(commits);
        }
        if let Some(patience) = self.patience(&sight) {
            self.deadlines.set(Due::Held, at + patience);
            self.held = Some(Held::new(sight, at, wire));
            return;
        }
        self.write(sight, at, wire, commits);
    }

    /// How long a failure is not believed to be the last: it may be overcome by credentials, another target, other media.
    fn patience(&self, sight: &Sight) -> Option<std::time::Duration> {
        let Some(Signal::Failure(response)) = sight.signal() else { return None };
        if self.attempt.cancelled || !self.is_in_setup() {
            return None;
        }
        match response.status {
            487 | 600.. => None,
            300..=399 | 401 | 407 | 422 => Some(self.config.sip.patience()),
            _ => Some(self.config.sip.t4()),
        }
    }

    /// The failure was overcome by a new INVITE.
    fn overcome(&mut self, commits: &mut Vec<Commit>) {
        self.unhold(true, commits);
    }

    /// The failure was the last.
    fn give_up(&mut self, commits: &mut Vec<Commit>) {
        self.unhold(false, commits);
    }

    fn unhold(&mut self, overcome: bool, commits: &mut Vec<Commit>) {
        self.deadlines.clear(Due::Held);
        let Some(held) = self.held.take() else { return };
        for (sight, at, wire) in held.decided(overcome) {
            self.write(sight, at, wire, commits);
        }
    }

    fn write(
        &mut self,
        mut sight: Sight,
        at: Timestamp,
        wire: Option<WireMessage>,
        commits: &mut Vec<Commit>,
    ) {
        sight.again = self.again;
        let before = self.record.phase();
        let cancelled = matches!(sight.signal(), Some(Signal::Cancel(_)));
        let Some(commit) = self.record.take(sight, at, wire) else { return };
        commits.push(commit);
        let (sip, after) = (self.config.sip, self.record.phase());
        if cancelled && before != Phase::Ended {
            self.deadlines.set(Due::Cancel, at + sip.patience());
        }
        if before == after {
            return;
        }
        match after {
            Phase::Connecting => {
                self.deadlines.clear(Due::Cancel);
                self.deadlines.set(Due::AckMissing, at + sip.patience() + sip.t2());
            }
            Phase::Connected => {
                self.deadlines.clear(Due::AckMissing);
                self.deadlines.clear(Due::Cancel);
            }
            Phase::Ending => {
                self.deadlines.clear(Due::AckMissing);
                self.deadlines.set(Due::Bye, at + sip.patience());
            }
            Phase::Ended => self.deadlines.over(at + sip.patience()),
            Phase::Idle | Phase::Calling | Phase::Incoming | Phase::Early => {}
        }
    }

    fn sight(&self, message: &Message, by: Side, requester: Side, seen: Seen) -> Sight {
        // Tags that fit neither end name no fork.
        let fits = classify::requester(message, &self.caller_tag) == Some(requester) || !message.is_request();
        let tag = classify::callee_tag(message, requester).filter(|_| fits);
        let mut sight = Sight::new(by, tag, seen);
        sight.session_expires = message.session_expires().map(|session| session.interval);
        sight
    }

    fn sender(&self, message: &Message, requester: Side) -> Side {
        match (self.oriented, message.is_request(), requester) {
            (false, _, _) => Side::Unknown,
            (true, true, Side::Caller) | (true, false, Side::Callee) => Side::Caller,
            (true, _, _) => Side::Callee,
        }
    }

    /// Whose request a message is or answers although its tags do not say so: a response belongs to its transaction
    /// (RFC 3261 §17.1.3), and an ACK from the caller's own port to its INVITE.
    fn asked_by(&self, message: &Message, sighting: &Sighting) -> Option<Side> {
        if message.is_request() {
            let acks = message.method().as_str() == "ACK" && message.cseq().0 == self.attempt.cseq;
            return (acks && self.caller == Some(sighting.source)).then_some(Side::Caller);
        }
        let key = transaction(message)?;
        self.requests.iter().rev().find(|(known, _)| *known == key).map(|(_, side)| *side)
    }

    fn note_request(&mut self, message: &Message, requester: Side) {
        let Some(key) = transaction(message).filter(|_| message.is_request()) else { return };
        if self.requests.len() >= MOST_REQUESTS {
            self.requests.remove(0);
        }
        self.requests.push((key, requester));
    }

    fn note_offer(&mut self, message: &Message, requester: Side) {
        if matches!(message.method().as_str(), "INVITE" | "UPDATE") {
            if self.offers.len() >= MOST_OFFERS {
                self.offers.remove(0);
            }
            let direction = digest::sdp(message).map(|sdp| sdp.direction);
            self.offers.push((requester, message.cseq().0, direction));
        }
    }

    fn offer_of(&self, requester: Side, cseq: u32) -> Option<MediaDirection> {
        self.offers.iter().find(|(by, number, _)| *by == requester && *number == cseq)?.2
    }

    fn is_stranger(&self, sighting: &Sighting) -> bool {
        self.addresses.as_ref().is_some_and(|known| !known.contains(&sighting.source.ip()))
    }

    /// Remembers who has a part in the call: both ends of the hop, and the address given for later requests.
    fn meet(&mut self, message: &Message, sighting: &Sighting) {
        let contact = message.contact().and_then(|contact| SipUri::parse(contact.uri).ok());
        let host = contact.map(|uri| uri.host.trim_matches(['[', ']']).parse::<IpAddr>());
        if matches!(host, Some(Err(_))) {
            self.addresses = None;
        }
        let Some(known) = &mut self.addresses else { return };
        let given = host.and_then(Result::ok);
        for address in [sighting.source.ip(), sighting.destination.ip()].into_iter().chain(given) {
            if known.len() < MOST_ADDRESSES && !known.contains(&address) {
                known.push(address);
            }
        }
    }
}

/// What names a transaction: branch, number and method.
fn transaction(message: &Message) -> Option<u64> {
    let mut hash = DefaultHasher::new();
    (message.branch()?, message.cseq().0, message.method().as_str()).hash(&mut hash);
    Some(hash.finish())
}

/// What may end the call, and is written down however long the record is.
fn is_vital(sight: &Sight) -> bool {
    sight.signal().is_some_and(|signal| {
        matches!(
            signal,
            Signal::Bye(_)
                | Signal::ByeAnswered(_)
                | Signal::Cancel(_)
                | Signal::Failure(_)
                | Signal::Success(_)
        )
    })
}
