//! All observed calls at once: which call a message belongs to, what is due, and how much is kept in mind.

mod hearing;
mod resuming;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use callbox_events::call::observed::{Related, Relation, Seen, Sight, Stop};
use callbox_events::party::Side;
use callbox_events::schema::Commit;
use callbox_events::{CallId, Timestamp};
use smallvec::SmallVec;

use super::config::ObserverConfig;
use super::legs::{Legs, Link};
use super::mend::Read;
use super::opening::First;
use super::record::Record;
use super::tracked::Tracked;
use super::wishes::Wishes;
use super::{Sighting, classify, mend};
use crate::wire::{Limits, Message, call_id_of};

pub use resuming::NotOpen;

/// Names a call inside an observer; in the order in which they began.
pub(super) type Slot = u64;

/// Turns what was seen of other people's calls into the record of each.
#[derive(Debug)]
pub struct Observer {
    config: ObserverConfig,
    calls: BTreeMap<Slot, Tracked>,
    next: Slot,
    by_call_id: HashMap<String, SmallVec<[Slot; 1]>>,
    /// The next deadline of each call.
    due: BTreeSet<(Timestamp, Slot)>,
    /// Calls that are over and may still see latecomers.
    over: BTreeSet<Slot>,
    legs: Legs,
    wishes: Wishes,
    /// Call-IDs of calls that are closed on record, and until when.
    closed: HashMap<String, Timestamp>,
    /// The ids given to calls that began in this millisecond.
    issued: (u64, BTreeSet<CallId>),
    now: Timestamp,
}

impl Observer {
    /// An observer that has seen nothing yet.
    #[must_use]
    pub fn new(config: ObserverConfig) -> Self {
        Self {
            config,
            calls: BTreeMap::new(),
            next: 0,
            by_call_id: HashMap::new(),
            due: BTreeSet::new(),
            over: BTreeSet::new(),
            legs: Legs::default(),
            wishes: Wishes::default(),
            closed: HashMap::new(),
            issued: (0, BTreeSet::new()),
            now: Timestamp::default(),
        }
    }

    /// How many calls are in mind, those included that are over and may still see latecomers.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Takes a message in, and the time that has passed with it; returns what is to be written down, in order.
    pub fn see(&mut self, sighting: Sighting) -> Vec<Commit> {
        let mut commits = Vec::new();
        self.pass(sighting.at, &mut commits);
        let sighting = Sighting { at: self.now, ..sighting };
        let limits = Limits { max_message: self.config.max_bytes, ..Limits::default() };
        match mend::read(&sighting.bytes, &limits) {
            Ok(read) => self.message(&read, &sighting, &mut commits),
            Err(error) => self.malformed(error.to_string(), &sighting, &mut commits),
        }
        commits
    }

    /// Lets time pass without a message, as a live mirror must.
    pub fn wait(&mut self, now: Timestamp) -> Vec<Commit> {
        let mut commits = Vec::new();
        self.pass(now, &mut commits);
        commits
    }

    /// Nothing more will be seen: every call that is open ends as far as it was seen, and is forgotten.
    pub fn finish(&mut self) -> Vec<Commit> {
        let mut commits = Vec::new();
        for slot in self.calls.keys().copied().collect::<Vec<_>>() {
            let mut own = Vec::new();
            if let Some(call) = self.calls.get_mut(&slot) {
                call.stop(Stop::CaptureEnded, self.now, &mut own);
            }
            self.settle(slot, own, &mut commits);
        }
        commits
    }

    fn pass(&mut self, now: Timestamp, commits: &mut Vec<Commit>) {
        while let Some((at, slot)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            self.now = self.now.max(at);
            let mut own = Vec::new();
            if let Some(call) = self.calls.get_mut(&slot) {
                self.due.remove(&(at, slot));
                call.fire(at, &mut own);
            }
            self.settle(slot, own, commits);
        }
        self.now = self.now.max(now);
    }

    fn message(&mut self, read: &Read, sighting: &Sighting, commits: &mut Vec<Commit>) {
        match self.place_of(&read.message, sighting.at) {
            Place::Call(slot) => {
                self.touch(slot, commits, |call, own| {
                    call.mended(read.problem.clone(), sighting, own);
                    call.see(&read.message, sighting, own);
                });
                self.learn_wishes(slot, &read.message, sighting);
            }
            Place::New => self.begin(read, sighting, commits),
            Place::Nowhere => {}
        }
    }

    fn malformed(&mut self, problem: String, sighting: &Sighting, commits: &mut Vec<Commit>) {
        let call_id = call_id_of(&sighting.bytes).map(String::from_utf8_lossy);
        let slots = call_id.and_then(|call_id| self.by_call_id.get(call_id.as_ref()));
        if let Some(slot) = slots.and_then(|slots| slots.last()).copied() {
            self.touch(slot, commits, |call, own| call.malformed(problem, sighting, own));
        }
    }

    /// Which call a message belongs to: by Call-ID and tags, the newest first.
    fn place_of(&self, message: &Message, at: Timestamp) -> Place {
        let is_invite = message.is_request() && message.method().as_str() == "INVITE";
        let begins = is_invite && message.to_tag().is_none();
        let all = self.by_call_id.get(message.call_id()).map(SmallVec::as_slice).unwrap_or_default();
        let slots: SmallVec<[Slot; 4]> =
            all.iter().copied().filter(|slot| self.is_in_time(*slot, at)).collect();
        let fits = |slot: &&Slot| {
            self.calls.get(slot).is_some_and(|call| {
                let known = call.parties.by_tags(message);
                known == Some(Side::Caller) && begins && call.takes_invite(message.cseq().0)
                    || known.is_some() && !begins
            })
        };
        match slots.iter().rev().find(fits) {
            Some(slot) => Place::Call(*slot),
            None if begins => Place::New,
            // Right Call-ID, wrong tags: somebody guesses, or a fork that nobody knows of.
            None if slots.is_empty() && !all.is_empty() => Place::Nowhere,
            None if !slots.is_empty() => slots.last().map_or(Place::Nowhere, |slot| Place::Call(*slot)),
            None if self.closed.get(message.call_id()).is_some_and(|until| at <= *until) => Place::Nowhere,
            None if classify::may_begin_midway(message) => Place::New,
            None => Place::Nowhere,
        }
    }

    fn begin(&mut self, read: &Read, sighting: &Sighting, commits: &mut Vec<Commit>) {
        let message = &read.message;
        self.make_room(commits);
        let slot = self.next;
        self.next += 1;
        let first = First::of(message, sighting, self.config.sip);
        let (call_id, cseq) = (message.call_id().to_owned(), message.cseq().0);
        let id = CallId::derive_observed(sighting.at, &call_id, &first.caller_tag, cseq);
        self.forget_twin(&call_id, id);
        let record = Record::new(self.unused(id));
        let links = self.legs.begin(slot, message, sighting);
        let (mut call, mut own) = Tracked::begin(message, sighting, first, record, self.config);
        call.mended(read.problem.clone(), sighting, &mut own);
        if let Some((at, _)) = call.deadlines.next() {
            self.due.insert((at, slot));
        }
        self.calls.insert(slot, call);
        self.by_call_id.entry(call_id).or_default().push(slot);
        self.learn_wishes(slot, message, sighting);
        self.settle(slot, own, commits);
        self.link(slot, links, commits);
    }

    /// Ids begin with the millisecond: only a call that began in the same one can have the same, and then the same names.
    fn unused(&mut self, id: CallId) -> CallId {
        let millisecond = self.now.micros() / 1000;
        if self.issued.0 != millisecond {
            self.issued = (millisecond, BTreeSet::new());
        }
        let mut number = u128::from_be_bytes(*id.as_bytes());
        while !self.issued.1.insert(CallId::from_bytes(number.to_be_bytes())) {
            number = number.wrapping_add(1);
        }
        CallId::from_bytes(number.to_be_bytes())
    }

    /// Tells both legs of each other, where there is evidence that they are legs of one call.
    fn link(&mut self, slot: Slot, links: Vec<Link>, commits: &mut Vec<Commit>) {
        for link in links {
            let in_setup = self.calls.get(&link.other).is_some_and(Tracked::is_in_setup);
            if link.relation == Relation::Leg && !in_setup && !link.certain {
                self.legs.part(slot, link.other);
                continue;
            }
            if link.relation == Relation::Leg {
                self.tell(slot, link.other, Relation::Leg, Side::Nobody, link.because.clone(), commits);
            }
            self.tell(link.other, slot, link.relation, Side::Nobody, link.because, commits);
        }
    }

    /// Writes into the record of `to` what the call `about` is to it.
    fn tell(
        &mut self,
        to: Slot,
        about: Slot,
        relation: Relation,
        by: Side,
        because: Vec<String>,
        commits: &mut Vec<Commit>,
    ) {
        let Some(other) = self.calls.get(&about) else { return };
        let related =
            Related { call: other.record.id(), sip_call_id: other.sip_call_id.clone(), relation, because };
        let sight = Sight::new(by, None, Seen::Related(related));
        let now = self.now;
        self.touch(to, commits, |call, own| call.related(sight, now, own));
    }

    /// Lets a call do something, and keeps the books after it.
    fn touch(
        &mut self,
        slot: Slot,
        commits: &mut Vec<Commit>,
        act: impl FnOnce(&mut Tracked, &mut Vec<Commit>),
    ) {
        let Some(call) = self.calls.get_mut(&slot) else { return };
        if let Some((at, _)) = call.deadlines.next() {
            self.due.remove(&(at, slot));
        }
        let mut own = Vec::new();
        act(call, &mut own);
        self.settle(slot, own, commits);
    }

    /// Books the deadlines of a call again, tells its other leg what happened, and forgets it if it is done.
    fn settle(&mut self, slot: Slot, own: Vec<Commit>, commits: &mut Vec<Commit>) {
        let news = own.iter().find_map(super::legs::news);
        commits.extend(own);
        let Some(call) = self.calls.get(&slot) else { return };
        if call.released {
            self.forget(slot);
        } else {
            if call.is_over() {
                self.over.insert(slot);
            }
            if let Some((at, _)) = call.deadlines.next() {
                self.due.insert((at, slot));
            }
        }
        if let Some((relation, by)) = news {
            for other in self.legs.of(slot) {
                let open = self.calls.get(&other).is_some_and(|other| !other.is_over());
                if open {
                    self.tell_of_the_end(other, slot, relation, by, commits);
                }
            }
        }
    }

    fn tell_of_the_end(
        &mut self,
        to: Slot,
        about: Slot,
        relation: Relation,
        by: Side,
        commits: &mut Vec<Commit>,
    ) {
        let because = self.legs.because(to, about);
        self.tell(to, about, relation, by, because, commits);
    }

    fn forget(&mut self, slot: Slot) {
        self.over.remove(&slot);
        self.legs.forget(slot);
        self.wishes.forget(slot);
        let Some(call) = self.calls.remove(&slot) else { return };
        if let Some((at, _)) = call.deadlines.next() {
            self.due.remove(&(at, slot));
        }
        if let Some(slots) = self.by_call_id.get_mut(&call.sip_call_id) {
            slots.retain(|other| *other != slot);
            if slots.is_empty() {
                self.by_call_id.remove(&call.sip_call_id);
            }
        }
    }

    fn make_room(&mut self, commits: &mut Vec<Commit>) {
        while self.calls.len() >= self.config.max_calls.max(1) {
            let oldest = self.over.first().or_else(|| self.calls.keys().next()).copied();
            let Some(slot) = oldest else { return };
            let now = self.now;
            self.touch(slot, commits, |call, own| call.stop(Stop::Crowded, now, own));
        }
    }
}

enum Place {
    Call(Slot),
    New,
    Nowhere,
}
