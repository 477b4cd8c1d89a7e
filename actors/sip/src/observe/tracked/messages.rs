//! Reading: which messages are new, and what they mean.

use callbox_events::Timestamp;
use callbox_events::call::Signal;
use callbox_events::call::observed::{Seen, Sight};
use callbox_events::party::Side;
use callbox_events::schema::Commit;
use callbox_events::sip::MediaDirection;

use super::super::attempt::Attempt;
use super::super::due::Due;
use super::super::known::{Identity, Novelty};
use super::super::{Sighting, classify};
use super::{Tracked, is_initial};
use crate::digest;
use crate::wire::Message;

/// More notes than this on messages that do not fit are not taken of one call.
const MOST_ODDITIES: u32 = 16;
/// More changes of media at once than this are not followed.
const MOST_OFFERS: usize = 4;

impl Tracked {
    /// A message of this call.
    pub(in crate::observe) fn see(
        &mut self,
        message: &Message,
        sighting: &Sighting,
        commits: &mut Vec<Commit>,
    ) {
        self.dormant = false;
        self.last_seen = self.last_seen.max(sighting.at);
        if !self.is_over() {
            self.deadlines.set(Due::Idle, sighting.at + self.config.idle);
        }
        let Some(requester) = self.parties.requester(message, sighting, self.attempt.cseq) else {
            let what = classify::what(message);
            return self.oddity(Seen::Stray { what }, sighting, commits);
        };
        match self.recognise(message, sighting, requester) {
            Novelty::New => self.see_new(message, sighting, requester, commits),
            Novelty::Relayed => self.see_relayed(message, sighting, requester, commits),
            Novelty::Again(copies) => self.see_again(message, sighting, requester, copies, commits),
        }
        self.parties.meet(message, sighting);
    }

    /// What a message is to those seen before.
    pub(super) fn recognise(&mut self, message: &Message, sighting: &Sighting, requester: Side) -> Novelty {
        // A proxy cancels, and hears failures, on its own account: not the same message as above it.
        let apart = match message.status() {
            Some(300..) => true,
            Some(_) => false,
            None => message.method().as_str() == "CANCEL",
        };
        self.parties.note_request(message, requester);
        let extra =
            u32::from(apart && self.attempt.is_below(message)) + 2 * u32::from(requester == Side::Callee);
        self.known.take(Identity::of(message, extra), sighting, self.config.max_known)
    }

    fn see_new(
        &mut self,
        message: &Message,
        sighting: &Sighting,
        requester: Side,
        commits: &mut Vec<Commit>,
    ) {
        if is_initial(message) || self.answers_an_unseen_attempt(message, requester) {
            self.overcome(commits);
        }
        let by = self.parties.sender(message, requester);
        let Some(seen) = self.read(message, sighting, requester) else { return };
        let mut sight = self.sight(message, by, requester, seen);
        if let Some(Signal::ReinviteAnswered(_)) = sight.signal() {
            sight.offer = self.offer_of(requester, message.cseq().0);
        }
        let is_failure = matches!(sight.signal(), Some(Signal::Failure(_)));
        sight.chosen_among = if is_failure { self.attempt.choice() } else { 0 };
        let (is_branch, tag) = (matches!(sight.seen, Seen::BranchFailed(_)), sight.tag.clone());
        self.put(sight, sighting, commits);
        if is_branch && let Some(best) = self.attempt.earlier_choice() {
            let mut chosen = Sight::new(by, tag, Seen::Signal(Signal::Failure(best)));
            chosen.chosen_among = self.attempt.choice();
            self.queue(chosen, sighting.at, None, commits);
        }
    }

    /// What a new message means, and what is kept in mind of it; none for what tells nothing.
    pub(super) fn read(&mut self, message: &Message, sighting: &Sighting, requester: Side) -> Option<Seen> {
        if is_initial(message) {
            self.attempt = Attempt::new(message, sighting);
            self.deadlines.set(Due::NoResponse, sighting.at + self.config.sip.patience());
            return Some(Seen::Retried {
                credentials: classify::has_credentials(message),
                request: digest::request(message),
            });
        }
        if message.is_request() {
            self.note_offer(message, requester);
            return Some(classify::request(message, &self.attempt));
        }
        if self.answers_an_unseen_attempt(message, requester) {
            self.attempt = Attempt::unseen(message.cseq().0, sighting.at);
        }
        let seen = classify::response(message, requester, &mut self.attempt)?;
        if let Seen::Signal(Signal::Success(_)) = seen {
            self.attempt.succeed(message, sighting.at);
        }
        Some(seen)
    }

    /// Whether it answers an INVITE that passed unseen: the first one, or the one that overcame a failure.
    fn answers_an_unseen_attempt(&self, message: &Message, requester: Side) -> bool {
        let (cseq, method) = message.cseq();
        let newer = requester == Side::Caller && cseq > self.attempt.cseq;
        !message.is_request()
            && method.as_str() == "INVITE"
            && self.is_in_setup()
            && (self.attempt.cseq == u32::MAX || newer)
    }

    /// The same message on its next hop: drawn, and a branch more or less.
    fn see_relayed(
        &mut self,
        message: &Message,
        sighting: &Sighting,
        requester: Side,
        commits: &mut Vec<Commit>,
    ) {
        let by = self.parties.sender(message, requester);
        if is_initial(message) && self.attempt.relayed(message, sighting) && self.held.is_some() {
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
                None if copies > self.attempt.copies => {
                    self.attempt.copies = copies;
                    self.copied(Due::NoResponse, copies, sighting.at);
                }
                Some(200..=299) if copies > self.again.answer => {
                    self.again.answer = copies;
                    self.copied(Due::AckMissing, copies, sighting.at);
                }
                None | Some(_) => {}
            }
        }
        if self.is_over() && !self.repeated {
            self.repeated = true;
            let seen = Seen::Repeated { what: classify::what(message) };
            let sight = Sight::new(self.parties.sender(message, requester), None, seen);
            self.put(sight, sighting, commits);
        }
    }

    /// A second copy tells T1, and with it when its sender loses patience: sooner than usual in laboratories. Every copy
    /// tells that it has not lost it yet.
    fn copied(&mut self, due: Due, copies: u32, at: Timestamp) {
        let (known, interval) = (self.attempt.t1.is_some(), self.attempt.copied(copies, at));
        if let Some(t1) = self.attempt.t1.filter(|t1| !known && *t1 < self.config.sip.t1()) {
            self.again.t1_ms = u32::try_from(t1.as_millis()).ok();
            self.deadlines.sooner(due, at + t1 * 65);
        }
        let t1 = self.attempt.t1.unwrap_or(self.config.sip.t1()).min(self.config.sip.t1());
        // An answer comes again after twice as long at most (RFC 3261 §13.3.1.4); timer B ends right after a last copy.
        self.deadlines.later(due, at + if due == Due::AckMissing { interval * 2 } else { t1 * 2 });
    }

    /// The message that follows had to be mended before it could be read.
    pub(in crate::observe) fn mended(
        &mut self,
        problem: Option<String>,
        sighting: &Sighting,
        commits: &mut Vec<Commit>,
    ) {
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
    pub(in crate::observe) fn malformed(
        &mut self,
        problem: String,
        sighting: &Sighting,
        commits: &mut Vec<Commit>,
    ) {
        self.oddity(Seen::Malformed { problem, mended: false }, sighting, commits);
    }

    fn oddity(&mut self, seen: Seen, sighting: &Sighting, commits: &mut Vec<Commit>) {
        self.stray = self.stray.saturating_add(1);
        self.oddities = self.oddities.saturating_add(1);
        if self.oddities <= MOST_ODDITIES {
            self.put(Sight::new(Side::Unknown, None, seen), sighting, commits);
        }
    }

    pub(super) fn sight(&self, message: &Message, by: Side, requester: Side, seen: Seen) -> Sight {
        // Tags that fit neither end name no fork.
        let fits = self.parties.by_tags(message) == Some(requester) || !message.is_request();
        let tag = classify::callee_tag(message, requester).filter(|_| fits);
        let mut sight = Sight::new(by, tag, seen);
        sight.session_expires = message.session_expires().map(|session| session.interval);
        sight
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
}
