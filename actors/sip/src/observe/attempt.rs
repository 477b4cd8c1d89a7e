//! One attempt to set the call up: an INVITE on all the hops and branches that were seen of it.

use smallvec::SmallVec;

use crate::wire::Message;

/// More branches than this are not told apart.
const MOST_BRANCHES: usize = 16;

/// The INVITE of one CSeq.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub cseq: u32,
    /// The fewest Vias that it was seen with: the hop nearest to the caller.
    vias: usize,
    /// The branches on that hop; several if only the callees' side of a forking proxy was seen.
    branches: SmallVec<[Branch; 1]>,
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
}

#[derive(Debug, Clone)]
struct Branch {
    id: Option<String>,
    failed: bool,
}

impl Attempt {
    pub(super) fn new(invite: &Message) -> Self {
        let mut attempt = Self::unseen(invite.cseq().0);
        attempt.vias = invite.vias().count();
        attempt.branches.push(Branch { id: branch(invite), failed: false });
        attempt
    }

    /// An attempt of which the INVITE was not seen.
    pub(super) fn unseen(cseq: u32) -> Self {
        Self {
            cseq,
            vias: usize::MAX,
            branches: SmallVec::new(),
            failed: SmallVec::new(),
            answered: false,
            copies: 0,
            success: None,
            cancelled: false,
        }
    }

    /// The same INVITE on another hop or branch; whether that is a new branch next to the caller.
    pub(super) fn relayed(&mut self, invite: &Message) -> bool {
        let vias = invite.vias().count();
        if vias < self.vias {
            self.vias = vias;
            self.branches.clear();
        }
        let id = branch(invite);
        let is_new = vias == self.vias
            && self.branches.len() < MOST_BRANCHES
            && !self.branches.iter().any(|known| known.id == id);
        if is_new {
            self.branches.push(Branch { id, failed: false });
        }
        is_new
    }

    /// Whether `message` travels below a proxy whose caller's side is seen, too: what it says the proxy may keep.
    pub(super) fn is_below(&self, message: &Message) -> bool {
        message.vias().count() > self.vias
    }

    /// Takes a failure in; whether the caller hears it: on its own hop, and no other branch is open.
    pub(super) fn fail(&mut self, failure: &Message) -> bool {
        let tag = failure.to_tag().map(str::to_owned);
        if self.failed.len() < MOST_BRANCHES && !self.failed.contains(&tag) {
            self.failed.push(tag);
        }
        if self.is_below(failure) {
            return false;
        }
        let id = branch(failure);
        if let Some(branch) = self.branches.iter_mut().find(|branch| branch.id == id) {
            branch.failed = true;
        }
        self.branches.len() < 2 || self.branches.iter().all(|branch| branch.failed)
    }

    /// Whether this ACK only acknowledges a failure (RFC 3261 §17.1.1.3).
    pub(super) fn acks_failure(&self, ack: &Message) -> bool {
        let tag = ack.to_tag().map(str::to_owned);
        let success = self.success.as_ref().is_some_and(|success| *success == tag);
        let same_branch = self.success.is_none()
            && ack.branch().is_some()
            && self.branches.iter().any(|branch| branch.id.as_deref() == ack.branch());
        !success && (self.failed.contains(&tag) || same_branch)
    }
}

fn branch(message: &Message) -> Option<String> {
    message.branch().map(str::to_owned)
}
