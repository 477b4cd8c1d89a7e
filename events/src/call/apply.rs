//! Apply: the one place where a call's state changes. Total: what the table forbids is an error value.

use std::sync::Arc;

use super::event::{Ending, Event, EventKind, Media};
use super::observed::Watched;
use super::phase::Phase;
use super::state::{Call, EndIntent, Profile, State};
use super::transitions;
use crate::party::Role;
use crate::sip::MediaDirection;
use crate::time::Timestamp;

/// An event that [`super::TRANSITIONS`] does not allow where it came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} is not possible in phase {from}")]
pub struct IllegalTransition {
    /// The phase it met.
    pub from: Phase,
    /// What came.
    pub event: EventKind,
}

impl Call {
    /// Takes an event that was recorded at `at` into the state.
    ///
    /// # Errors
    /// [`IllegalTransition`] if the table does not allow it, or if the call was released; the state is then unchanged.
    pub fn apply(&mut self, event: &Event, at: Timestamp) -> Result<(), IllegalTransition> {
        let from = self.phase();
        let illegal = IllegalTransition { from, event: event.kind() };
        let to = transitions::target(from, event.kind()).ok_or_else(|| illegal.clone())?;
        if self.is_released() {
            return Err(illegal);
        }
        match (&mut self.state, event) {
            (State::Observed(watched), _) => watched.absorb(event, to, at),
            (_, Event::Observed(observed)) => self.state = State::Observed(Box::new(Watched::new(observed))),
            (_, _) => self.absorb(event, at),
        }
        debug_assert_eq!(self.phase(), to, "{event:?} led elsewhere than the table says");
        self.version += 1;
        self.last_event_at = at;
        Ok(())
    }

    fn absorb(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Placed(placed) => {
                self.profile = Some(Profile {
                    role: Role::Caller,
                    policy: placed.policy.clone(),
                    dialog: Arc::clone(&placed.dialog),
                    started_at: at,
                    expires_at: None,
                });
                self.state = State::Calling { sent: false, provisional: false };
            }
            Event::Offered(offered) => {
                self.profile = Some(Profile {
                    role: Role::Callee,
                    policy: offered.policy.clone(),
                    dialog: Arc::clone(&offered.dialog),
                    started_at: at,
                    expires_at: offered.expires_at,
                });
                self.state = State::Incoming;
            }
            Event::Sent { peer } => {
                if let Some(profile) = &mut self.profile {
                    Arc::make_mut(&mut profile.dialog).peer = *peer;
                }
                self.state = State::Calling { sent: true, provisional: false };
            }
            Event::Progressed(alerting) => self.progress(alerting.to_tag.as_deref()),
            Event::Rang(alerting) => self.alert(alerting.to_tag.as_deref(), true, false),
            Event::EarlyMedia(alerting) => self.alert(alerting.to_tag.as_deref(), false, true),
            Event::Answered(facts) => {
                if let Some(profile) = &mut self.profile {
                    profile.dialog = Arc::clone(&facts.dialog);
                }
                self.state = State::Connecting;
            }
            Event::Connected => {
                self.state =
                    State::Connected { since: at, local_hold: false, remote_hold: false, pending: None };
            }
            Event::Media(media) => self.change_media(media),
            Event::MediaRequested { direction } => self.set_pending(Some(*direction)),
            Event::MediaRefused { .. } => self.set_pending(None),
            Event::Ending(ending) => self.state = State::Ending(intent(ending)),
            Event::EndingSent => {
                if let State::Ending(intent) = &mut self.state {
                    intent.sent = true;
                }
            }
            Event::Ended(how) => self.state = State::Ended { released: false, how: how.clone() },
            Event::Recovered(_) => self.set_pending(None),
            Event::Released(_) => {
                if let State::Ended { released, .. } = &mut self.state {
                    *released = true;
                }
            }
            Event::Noted(_)
            | Event::Observed(_)
            | Event::FoundConnected
            | Event::CancelSeen
            | Event::EndSeen(_) => {}
        }
    }

    /// A provisional response that alerts nobody: it opens the way for CANCEL and may belong to a further fork.
    fn progress(&mut self, to_tag: Option<&str>) {
        match &mut self.state {
            State::Calling { provisional, .. } => *provisional = true,
            State::Early { forks, .. } => remember(forks, to_tag),
            State::Idle
            | State::Incoming
            | State::Connecting
            | State::Connected { .. }
            | State::Ending(_)
            | State::Ended { .. }
            | State::Observed(_) => {}
        }
    }

    fn alert(&mut self, to_tag: Option<&str>, rings: bool, has_media: bool) {
        if let State::Early { rang, media, forks } = &mut self.state {
            *rang |= rings;
            *media |= has_media;
            remember(forks, to_tag);
        } else {
            let mut forks = Vec::new();
            remember(&mut forks, to_tag);
            self.state = State::Early { rang: rings, media: has_media, forks };
        }
    }

    fn change_media(&mut self, media: &Media) {
        let Some(profile) = &mut self.profile else { return };
        let ours = media.by == profile.role.side();
        if let Some(target) = &media.new_target {
            Arc::make_mut(&mut profile.dialog).remote_target.clone_from(target);
        }
        let holds = is_hold(media.direction);
        if let State::Connected { local_hold, remote_hold, pending, .. } = &mut self.state {
            if ours {
                *local_hold = holds;
                *pending = None;
            } else {
                *remote_hold = holds;
            }
        }
    }

    fn set_pending(&mut self, direction: Option<MediaDirection>) {
        if let State::Connected { pending, .. } = &mut self.state {
            *pending = direction;
        }
    }
}

/// Whether a description in this direction holds its receiver (RFC 3264 §8.4).
pub(super) fn is_hold(direction: MediaDirection) -> bool {
    match direction {
        MediaDirection::SendOnly | MediaDirection::Inactive => true,
        MediaDirection::SendRecv | MediaDirection::RecvOnly => false,
    }
}

fn intent(ending: &Ending) -> EndIntent {
    EndIntent { ending: ending.clone(), sent: !ending.held }
}

fn remember(forks: &mut Vec<String>, to_tag: Option<&str>) {
    /// More forks than this are not told apart: a stranger must not grow our state at will.
    const MOST: usize = 16;
    if let Some(tag) = to_tag
        && forks.len() < MOST
        && !forks.iter().any(|known| known == tag)
    {
        forks.push(tag.to_owned());
    }
}
