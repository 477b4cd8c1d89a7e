//! Events into the state of an observed call.

use super::opening::Observed;
use super::state::Watched;
use crate::call::event::Event;
use crate::call::phase::Phase;
use crate::sip::Dialog;
use crate::time::Timestamp;

impl Watched {
    /// The state after a call was seen for the first time.
    pub(in crate::call) fn new(observed: &Observed) -> Self {
        Self {
            phase: Phase::Calling,
            dialog: observed.dialog.clone(),
            sip: observed.sip,
            rang: false,
            media: false,
            answered_at: None,
            cancelled_at: None,
            end: None,
            how: None,
            released: false,
        }
    }

    /// Takes an event in that the table of transitions allows, and that leads `to` there.
    pub(in crate::call) fn absorb(&mut self, event: &Event, to: Phase, at: Timestamp) {
        self.phase = to;
        match event {
            Event::Rang(_) => self.rang = true,
            Event::EarlyMedia(_) => self.media = true,
            Event::Answered(facts) => {
                self.dialog = Dialog::clone(&facts.dialog);
                self.answered_at = Some(at);
            }
            Event::CancelSeen => self.cancelled_at = Some(at),
            Event::EndSeen(end) => self.end = Some(end.clone()),
            Event::Ended(how) => self.how = Some(how.clone()),
            Event::Released(_) => self.released = true,
            Event::Observed(_)
            | Event::FoundConnected
            | Event::Placed(_)
            | Event::Sent { .. }
            | Event::Offered(_)
            | Event::Progressed(_)
            | Event::Connected
            | Event::Media(_)
            | Event::MediaRequested { .. }
            | Event::MediaRefused { .. }
            | Event::Ending(_)
            | Event::EndingSent
            | Event::Recovered(_)
            | Event::Noted(_) => {}
        }
    }
}
