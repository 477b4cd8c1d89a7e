//! Where calls want their audio: whose ear a tone was meant for.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use callbox_events::Timestamp;
use callbox_events::party::Side;
use smallvec::SmallVec;

use super::observer::Slot;

/// More addresses of one call are not remembered; the oldest is forgotten first.
const MOST_OF_A_CALL: usize = 8;
/// More calls than this at one address are not told apart: ports are used again, one call after the other.
const MOST_AT_AN_ADDRESS: usize = 8;
/// How much earlier than the session description that wants it audio may begin, by the clocks of a capture.
const SLACK: Duration = Duration::from_millis(500);

/// The addresses that the session descriptions of all calls in mind name.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    at: HashMap<SocketAddr, SmallVec<[Wish; 1]>>,
    of: HashMap<Slot, SmallVec<[SocketAddr; 2]>>,
}

/// One call's wish for audio at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    pub call: Slot,
    /// Whose address it is: who hears what is sent there.
    pub ear: Side,
    /// When it was named first, and last.
    first: Timestamp,
    last: Timestamp,
}

impl Wishes {
    /// A session description of `call` names `addresses` as `ear`'s. An address that was named before stays: an offer
    /// may be refused, and each branch of a fork has its own.
    pub(super) fn learn(&mut self, call: Slot, ear: Side, at: Timestamp, addresses: &[SocketAddr]) {
        for address in addresses {
            let wishes = self.at.entry(*address).or_default();
            if let Some(known) = wishes.iter_mut().find(|wish| wish.call == call) {
                known.last = at;
                continue;
            }
            if wishes.len() >= MOST_AT_AN_ADDRESS {
                wishes.remove(0);
            }
            wishes.push(Wish { call, ear, first: at, last: at });
            let own = self.of.entry(call).or_default();
            own.push(*address);
            if own.len() > MOST_OF_A_CALL {
                let oldest = own.remove(0);
                self.drop_wish(oldest, call);
            }
        }
    }

    /// The wishes for audio at `address` that what began at `from` may answer, the newest first.
    pub(super) fn for_audio(&self, address: SocketAddr, from: Timestamp) -> SmallVec<[Wish; 2]> {
        let wishes = self.at.get(&address).map(SmallVec::as_slice).unwrap_or_default();
        let mut fitting: SmallVec<[Wish; 2]> =
            wishes.iter().filter(|wish| wish.first <= from + SLACK).copied().collect();
        fitting.sort_by_key(|wish| std::cmp::Reverse((wish.last, wish.call)));
        fitting
    }

    pub(super) fn forget(&mut self, call: Slot) {
        for address in self.of.remove(&call).unwrap_or_default() {
            self.drop_wish(address, call);
        }
    }

    fn drop_wish(&mut self, address: SocketAddr, call: Slot) {
        if let Some(wishes) = self.at.get_mut(&address) {
            wishes.retain(|wish| wish.call != call);
            if wishes.is_empty() {
                self.at.remove(&address);
            }
        }
    }
}
