//! Tones: whose they are, and into whose record they go.

use std::net::SocketAddr;

use callbox_events::Timestamp;
use callbox_events::call::observed::{Heard, Seen, Sight};
use callbox_events::schema::Commit;
use smallvec::SmallVec;

use super::super::Sighting;
use super::super::tones::Tone;
use super::super::wishes::Wish;
use super::{Observer, Slot};
use crate::digest::audio_addresses;
use crate::wire::Message;

impl Observer {
    /// Takes a tone in that was recognised at `at` in audio sent to `addr`; returns what is to be written down: nothing
    /// if no call that is under way wants audio there, or the tone is on its record already.
    pub fn hear(&mut self, at: Timestamp, addr: SocketAddr, tone: Tone) -> Vec<Commit> {
        let mut commits = Vec::new();
        self.pass(at, &mut commits);
        let heard = Heard { tone: tone.kind.into(), addr, from: tone.from, until: tone.until };
        let now = self.now;
        for wish in self.listeners(&heard) {
            let sight = Sight::new(wish.ear.other(), None, Seen::Heard(heard));
            self.touch(wish.call, &mut commits, |call, own| call.hear(sight, heard.tone, now, own));
        }
        commits
    }

    /// The calls that are under way and want to hear it: one after the other calls use an address, so the newest that
    /// was there in time, and its other legs if audio goes past the one who joins them.
    fn listeners(&self, heard: &Heard) -> SmallVec<[Wish; 2]> {
        let mut wishes = self.wishes.for_audio(heard.addr, heard.from);
        wishes.retain(|wish| self.calls.get(&wish.call).is_some_and(|call| !call.is_over()));
        let legs = wishes.first().map(|newest| self.legs.of(newest.call)).unwrap_or_default();
        let newest = wishes.first().map(|newest| newest.call);
        wishes.retain(|wish| Some(wish.call) == newest || legs.contains(&wish.call));
        wishes
    }

    /// Remembers where the session description of a message wants audio. Relays write their own address into it, so
    /// each hop counts.
    pub(super) fn learn_wishes(&mut self, slot: Slot, message: &Message, sighting: &Sighting) {
        if message.body.is_empty() {
            return;
        }
        let Some(text) = crate::digest::sdp_text(message) else { return };
        let Some(ear) = self.calls.get(&slot).and_then(|call| call.speaker(message, sighting)) else {
            return;
        };
        self.wishes.learn(slot, ear, sighting.at, &audio_addresses(&text));
    }
}
