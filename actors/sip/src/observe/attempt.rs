//! One attempt to set the call up: an INVITE on all the hops and branches that were seen of it.

use std::net::SocketAddr;
use std::time::Duration;

use callbox_events::Timestamp;
use callbox_events::sip::Response;
use smallvec::SmallVec;

use super::Sighting;
use super::best::Best;
use crate::wire::Message;

/// More branches than this are not told apart.
const MOST_BRANCHES: usize = 16;
/// A T1 shorter than this is none that anybody sets; the copy is the capture's own.
const SHORTEST_T1: Duration = Duration::from_millis(10);

/// The INVITE of one CSeq.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub cseq: u32,
    branches: SmallVec<[Branch; 2]>,
    /// What a proxy makes of the failures of its branches.
    best: Best,
    /// Tags of failures; their ACKs are no sign of an answer.
    failed: SmallVec<[Option<String>; 1]>,
    /// Whether any response was seen.
    pub answered: bool,
    /// Copies of the INVITE on its first hop.
    pub copies: u32,
    /// The callee's tag of the first 2xx.
    pub success: Option<Option<String>>,
    /// Whether the caller's CANCEL was seen.
    pub cancelled: bool,
    /// When the INVITE, or the answer to it, was seen last.
    last_at: Timestamp,
    /// T1 of who sent that, by when its second copy came; shorter than usual in laboratories.
    pub t1: Option<Duration>,
}

/// The INVITE on one hop.
#[derive(Debug, Clone)]
struct Branch {
    source: SocketAddr,
    destination: SocketAddr,
    id: Option<String>,
    vias: usize,
    /// Hops between here and the caller, as far as they were seen.
    depth: usize,
    failed: bool,
    /// Whether the 2xx was seen here first.
    won: bool,
}

impl Attempt {
    pub(super) fn new(invite: &Message, sighting: &Sighting) -> Self {
        let mut attempt = Self::unseen(invite.cseq().0, sighting.at);
        attempt.relayed(invite, sighting);
        attempt
    }

    /// An attempt of which the INVITE was not seen.
    pub(super) fn unseen(cseq: u32, at: Timestamp) -> Self {
        Self {
            cseq,
            branches: SmallVec::new(),
            best: Best::default(),
            failed: SmallVec::new(),
            answered: false,
            copies: 0,
            success: None,
            cancelled: false,
            last_at: at,
            t1: None,
        }
    }

    /// The INVITE on a hop; whether that is a new branch next to the caller.
    pub(super) fn relayed(&mut self, invite: &Message, sighting: &Sighting) -> bool {
        let (source, destination) = (sighting.source, sighting.destination);
        let (id, vias) = (invite.branch().map(str::to_owned), invite.vias().count());
        if self.branches.len() >= MOST_BRANCHES || self.branches.iter().any(|branch| branch.id == id) {
            return false;
        }
        // Who sends on what came to it stands below who sent that; a Via more says the same.
        let above = self.branches.iter().find(|known| known.destination == source);
        let above = above.or_else(|| self.branches.iter().rev().find(|known| known.vias < vias));
        let depth = above.map_or(0, |above| above.depth + 1);
        let is_above =
            |known: &Branch| known.depth == 0 && (known.source == destination || known.vias > vias);
        if above.is_none() && self.branches.iter().any(is_above) {
            self.branches.iter_mut().for_each(|known| known.depth += 1);
        }
        self.branches.push(Branch { source, destination, id, vias, depth, failed: false, won: false });
        depth == 0
    }

    /// Whether `message` travels below a proxy whose caller's side is seen, too: what it says the proxy may keep.
    pub(super) fn is_below(&self, message: &Message) -> bool {
        match self.branch_of(message) {
            Some(branch) => branch.depth > 0,
            // A CANCEL has one Via, wherever it was made (RFC 3261 §9.1).
            None if message.is_request() => false,
            None => {
                self.branches.iter().any(|branch| branch.depth == 0 && branch.vias < message.vias().count())
            }
        }
    }

    /// The INVITE that a response or a CANCEL belongs to (RFC 3261 §9.1, §17.1.3).
    fn branch_of(&self, message: &Message) -> Option<&Branch> {
        let id = message.branch()?;
        self.branches.iter().find(|branch| branch.id.as_deref() == Some(id))
    }

    /// Takes a failure in; whether it is what the caller hears: on its own hop, and of several branches the one that a
    /// proxy passes on.
    pub(super) fn fail(&mut self, failure: &Message, response: &Response) -> bool {
        let tag = failure.to_tag().map(str::to_owned);
        if self.failed.len() < MOST_BRANCHES && !self.failed.contains(&tag) {
            self.failed.push(tag);
        }
        if self.is_below(failure) {
            return false;
        }
        let id = failure.branch();
        if let Some(branch) = self.branches.iter_mut().find(|branch| branch.id.as_deref() == id) {
            branch.failed = true;
        }
        let is_best = self.best.take(response);
        self.failed_branches() < 2 && self.is_over() || self.is_over() && is_best
    }

    /// Whether a CANCEL is a proxy's own, of a branch that came to nothing because another one was answered or declined for
    /// all (RFC 3261 §16.7, steps 5 and 10).
    pub(super) fn is_cancelled_by_proxy(&self, cancel: &Message) -> bool {
        let forked = self.branches.iter().filter(|branch| branch.depth == 0).count() > 1;
        self.is_lost_fork(cancel) || forked && self.best.is_for_all()
    }

    /// The failure that a proxy passes on once all its branches have failed, if it is an earlier one than the last; once.
    pub(super) fn earlier_choice(&mut self) -> Option<Response> {
        if self.failed_branches() < 2 || !self.is_over() {
            return None;
        }
        self.best.take_earlier()
    }

    /// How many branches next to the caller failed, if a proxy had to choose; 0 if there was nothing to choose.
    pub(super) fn choice(&self) -> u32 {
        match self.failed_branches() {
            count @ 2.. => u32::try_from(count).unwrap_or(u32::MAX),
            _ => 0,
        }
    }

    fn failed_branches(&self) -> usize {
        self.branches.iter().filter(|branch| branch.depth == 0 && branch.failed).count()
    }

    /// Whether no branch next to the caller is open.
    fn is_over(&self) -> bool {
        let mut own = self.branches.iter().filter(|branch| branch.depth == 0);
        own.clone().count() < 2 || own.all(|branch| branch.failed)
    }

    /// Whether this ACK only acknowledges a failure (RFC 3261 §17.1.1.3).
    pub(super) fn acks_failure(&self, ack: &Message) -> bool {
        let tag = ack.to_tag().map(str::to_owned);
        let success = self.success.as_ref().is_some_and(|success| *success == tag);
        let same_branch = self.success.is_none() && self.branch_of(ack).is_some();
        !success && (self.failed.contains(&tag) || same_branch)
    }

    /// A 2xx passed; the first one counts.
    pub(super) fn succeed(&mut self, answer: &Message, at: Timestamp) {
        if self.success.is_none() {
            self.success = Some(answer.to_tag().map(str::to_owned));
            (self.last_at, self.t1) = (at, None);
            let id = answer.branch();
            if let Some(branch) = self.branches.iter_mut().find(|branch| branch.id.as_deref() == id) {
                branch.won = true;
            }
        }
    }

    /// Whether a CANCEL is for a fork that lost: who forked had its answer from another one (RFC 3261 §16.7, step 10).
    fn is_lost_fork(&self, cancel: &Message) -> bool {
        let Some(lost) = self.branch_of(cancel).filter(|branch| !branch.won) else { return false };
        self.branches
            .iter()
            .any(|other| other.won && other.depth == lost.depth && other.source == lost.source)
    }

    /// Copy number `copies` of what was seen first; how long it came after the one before. The second one comes 2·T1
    /// after the first (RFC 3261 §17.1.1.2, §13.3.1.4), and is less disturbed by how long the first message took to leave.
    pub(super) fn copied(&mut self, copies: u32, at: Timestamp) -> Duration {
        let waited = at.since(self.last_at);
        if copies == 2 && waited >= SHORTEST_T1 * 2 {
            self.t1 = Some(waited / 2);
        }
        self.last_at = at;
        waited
    }
}
