//! The record of one observed call: sights in, commits out, through the same machine as any call.

use callbox_events::CallId;
use callbox_events::Timestamp;
use callbox_events::call::observed::Sight;
use callbox_events::call::{Call, Input, Phase};
use callbox_events::schema::{Commit, Happened, WireDirection, WireMessage};
use callbox_events::sip::Peer;

use super::Sighting;

/// A commit that is not the next of its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutOfPlace;

/// One call's machine and its place in its stream.
#[derive(Debug, Clone)]
pub(super) struct Record {
    id: CallId,
    call: Call,
}

impl Record {
    pub(super) fn new(id: CallId) -> Self {
        Self { id, call: Call::default() }
    }

    /// Goes on with a record: takes the next of its commits in.
    ///
    /// # Errors
    /// Nothing, if the commit does not follow on the ones before.
    pub(super) fn follow(&mut self, commit: &Commit) -> Result<(), OutOfPlace> {
        if commit.call != self.id || commit.version != self.call.version {
            return Err(OutOfPlace);
        }
        commit
            .events
            .iter()
            .try_for_each(|happened| self.call.apply(&happened.event, commit.at))
            .map_err(|_| OutOfPlace)
    }

    /// Whether nothing more is to come.
    pub(super) fn is_released(&self) -> bool {
        self.call.is_released()
    }

    /// When the last event was recorded.
    pub(super) fn last_event_at(&self) -> Timestamp {
        self.call.last_event_at
    }

    pub(super) fn id(&self) -> CallId {
        self.id
    }

    pub(super) fn phase(&self) -> Phase {
        self.call.phase()
    }

    /// How many events there are.
    pub(super) fn events(&self) -> u64 {
        self.call.version
    }

    /// Decides a sight and takes its events in; none if nothing is to be written down.
    pub(super) fn take(&mut self, sight: Sight, at: Timestamp, wire: Option<WireMessage>) -> Option<Commit> {
        // Time within a call does not run backwards, whatever the capture's clock did.
        let at = at.max(self.call.last_event_at);
        let input = Input::Observed(Box::new(sight));
        let decided = self.call.decide(&input, at);
        let (version, phase_before) = (self.call.version, self.call.phase());
        let mut events = Vec::with_capacity(decided.events.len());
        for event in decided.events {
            self.call.apply(&event, at).ok()?;
            events.push(Happened { phase: self.call.phase(), event });
        }
        if events.is_empty() {
            return None;
        }
        Some(Commit {
            call: self.id,
            version,
            at,
            node: String::new(),
            epoch: 0,
            phase_before,
            input,
            events,
            wire: wire.into_iter().collect(),
        })
    }
}

/// The message of a commit as it was sighted.
pub(super) fn sighted(commit: &Commit) -> Option<Sighting> {
    let wire = commit.wire.first()?;
    Some(Sighting {
        at: commit.at,
        source: wire.peer.addr,
        destination: wire.to?.addr,
        transport: wire.peer.transport,
        bytes: wire.bytes.clone().into(),
    })
}

/// A sighted message as the record keeps it: with both its ends.
pub(super) fn wire(sighting: &Sighting, most: usize) -> WireMessage {
    let end = |addr| Peer { transport: sighting.transport, addr };
    WireMessage {
        direction: WireDirection::In,
        peer: end(sighting.source),
        to: Some(end(sighting.destination)),
        bytes: sighting.bytes.get(..most).unwrap_or(&sighting.bytes).to_vec(),
    }
}
