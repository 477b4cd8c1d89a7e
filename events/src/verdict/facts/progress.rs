//! How far a call has come: followed event by event until its end is decided.

use crate::call::{Alerting, Event, Media};
use crate::party::Side;
use crate::sip::{MediaDirection, Response};

use super::super::vocabulary::VerdictPhase;
use super::Fact;

/// The milestones of a call.
#[derive(Debug, Clone, Default)]
pub(in crate::verdict) struct Progress {
    /// The first 18x without a session description.
    pub ringing: Option<Fact<()>>,
    /// The first 18x with one.
    pub early_media: Option<Fact<()>>,
    /// To tags of the dialogs that rang.
    pub ringing_tags: Vec<String>,
    answering: bool,
    connected: bool,
    caller_holds: bool,
    callee_holds: bool,
}

impl Progress {
    /// The phase as the verdict names it.
    pub(in crate::verdict) fn phase(&self) -> VerdictPhase {
        if self.connected && (self.caller_holds || self.callee_holds) {
            VerdictPhase::Held
        } else if self.connected {
            VerdictPhase::Connected
        } else if self.answering {
            VerdictPhase::Answering
        } else if self.early_media.is_some() {
            VerdictPhase::EarlyMedia
        } else if self.ringing.is_some() {
            VerdictPhase::Ringing
        } else {
            VerdictPhase::Setup
        }
    }

    /// The first sign that the called side alerts, with or without media.
    pub(in crate::verdict) fn first_alert(&self) -> Option<Fact<()>> {
        match (self.ringing, self.early_media) {
            (Some(rang), Some(media)) => Some(if media.event < rang.event { media } else { rang }),
            (rang, media) => rang.or(media),
        }
    }

    /// Takes an event in.
    pub(super) fn follow(&mut self, fact: Fact<&Event>) {
        match fact.what {
            Event::Rang(alerting) => self.rang(fact.with(()), alerting.to_tag.as_deref()),
            Event::EarlyMedia(_) => self.media_began(fact.with(())),
            Event::Answered(_) => self.answering = true,
            Event::Connected | Event::FoundConnected => self.connected = true,
            Event::Media(media) => self.hold(media),
            Event::Progressed(Alerting { .. })
            | Event::Placed(_)
            | Event::Sent { .. }
            | Event::Offered(_)
            | Event::MediaRequested { .. }
            | Event::MediaRefused { .. }
            | Event::Ending(_)
            | Event::EndingSent
            | Event::Ended(_)
            | Event::Recovered(_)
            | Event::Released(_)
            | Event::Noted(_)
            | Event::Observed(_)
            | Event::CancelSeen
            | Event::EndSeen(_) => {}
        }
    }

    /// Takes a provisional response in, whatever the machine made of it. 181, 182 and 199 are no alerting.
    pub(super) fn hear(&mut self, fact: Fact<&Response>) {
        match (fact.what.status, &fact.what.sdp) {
            (180 | 183..=189, Some(_)) => self.media_began(fact.with(())),
            (180 | 183..=189, None) => self.rang(fact.with(()), fact.what.to_tag.as_deref()),
            _ => {}
        }
    }

    fn rang(&mut self, fact: Fact<()>, tag: Option<&str>) {
        self.ringing.get_or_insert(fact);
        if let Some(tag) = tag
            && !self.ringing_tags.iter().any(|known| known == tag)
        {
            self.ringing_tags.push(tag.to_owned());
        }
    }

    fn media_began(&mut self, fact: Fact<()>) {
        self.early_media.get_or_insert(fact);
    }

    fn hold(&mut self, media: &Media) {
        let holds = match media.direction {
            MediaDirection::SendOnly | MediaDirection::Inactive => true,
            MediaDirection::SendRecv | MediaDirection::RecvOnly => false,
        };
        match media.by {
            Side::Caller => self.caller_holds = holds,
            Side::Callee => self.callee_holds = holds,
            Side::Network | Side::Both | Side::Nobody | Side::Unknown => {}
        }
    }
}
