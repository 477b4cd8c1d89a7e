//! How a core comes to be: placed, received, or restored.

use std::sync::Arc;

use callbox_events::call::{Call, Command, Input, Place, Policy, Signal};
use callbox_events::schema::Commit;
use callbox_events::sip::{Dialog, Peer};
use callbox_events::{CallId, Role, Timestamp};
use callbox_sip::ids::Ids;
use callbox_sip::leg::Leg;
use callbox_sip::stateless::Refusal;
use callbox_sip::wire::Message;
use smallvec::smallvec;

use super::handle::guarded;
use super::timers::Timers;
use super::{CallCore, Fault, Queued, Seat, Step, transmit};

/// A call to be placed, with its target known or to be found out.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Who calls, as a URI.
    pub from: String,
    /// Who is called, as a URI.
    pub to: String,
    /// Where the INVITE goes; if it must be resolved or connected first, any address of the right transport.
    pub peer: Peer,
    /// Whether `peer` is where the INVITE goes, at once.
    pub reachable: bool,
    /// The rules of this call.
    pub policy: Policy,
}

impl Outgoing {
    /// Draws the identifiers of the call's dialog.
    fn placed(self, seat: &Seat, sip_call_id: String, ids: &mut dyn Ids) -> Place {
        let dialog = Arc::new(Dialog {
            sip_call_id,
            local_uri: format!("<{}>", self.from),
            local_tag: ids.tag(),
            remote_uri: format!("<{}>", self.to),
            remote_tag: None,
            remote_target: self.to.clone(),
            route_set: Vec::new(),
            local_cseq: 1,
            remote_cseq: 0,
            local_contact: seat.leg.contact.as_ref().to_owned(),
            peer: self.peer,
            invite_branch: Some(ids.branch()),
            invite_cseq: 1,
        });
        Place { from: self.from, to: self.to, dialog, reachable: self.reachable, policy: self.policy }
    }
}

impl CallCore {
    /// A call of ours, and its first step.
    ///
    /// # Errors
    /// [`Fault`]: there is no call.
    pub fn place(
        now: Timestamp,
        outgoing: Outgoing,
        sip_call_id: String,
        seat: &Arc<Seat>,
        ids: &mut dyn Ids,
    ) -> Result<(Box<Self>, Step), Fault> {
        guarded(|| {
            let place = outgoing.placed(seat, sip_call_id, ids);
            let dialog = &place.dialog;
            let id =
                CallId::derive(now, Role::Caller, &dialog.sip_call_id, &dialog.local_tag, dialog.invite_cseq);
            let config = seat.leg.clone().with_timers(place.policy.sip);
            let leg = Leg::outgoing(Arc::clone(dialog), config);
            let mut core = Self::new(id, Arc::clone(seat), leg);
            core.queue.push_back(Queued::bare(Input::Command(Command::Place(Box::new(place)))));
            let step = core.advance(now, ids, Step::default())?;
            Ok((core, step))
        })
    }

    /// A call from elsewhere, and its first step.
    ///
    /// # Errors
    /// What to answer if this INVITE can't begin a call.
    pub fn incoming(
        now: Timestamp,
        invite: &Message,
        source: Peer,
        policy: Policy,
        seat: &Arc<Seat>,
        ids: &mut dyn Ids,
    ) -> Result<(Box<Self>, Step), Refusal> {
        let begun = guarded(|| {
            let config = seat.leg.clone().with_timers(policy.sip);
            let (leg, mut facts) = match Leg::incoming(invite, source, ids.tag(), config, now) {
                Ok(begun) => begun,
                Err(refusal) => return Ok(Err(refusal)),
            };
            facts.policy = policy;
            let from_tag = facts.dialog.remote_tag.as_deref().unwrap_or_default();
            let (call_id, cseq) = (&facts.dialog.sip_call_id, facts.dialog.invite_cseq);
            let id = CallId::derive(now, Role::Callee, call_id, from_tag, cseq);
            let mut core = Self::new(id, Arc::clone(seat), leg);
            let input = Input::Signal(Signal::Invite(Box::new(facts)));
            let wire = smallvec![transmit::received(source, &invite.raw)];
            core.queue.push_back(Box::new(Queued { input, wire }));
            let step = core.advance(now, ids, Step::default())?;
            Ok(Ok((core, step)))
        });
        begun.unwrap_or_else(|fault| {
            tracing::error!(%fault, "an INVITE could not begin a call");
            Err(Refusal::new(500))
        })
    }

    /// A call from its durable commits, in order. Feed it [`super::Stimulus::Recovery`] next.
    ///
    /// # Errors
    /// [`Fault`] if the commits do not make a call.
    pub fn restore(now: Timestamp, commits: &[Commit], seat: &Arc<Seat>) -> Result<Box<Self>, Fault> {
        guarded(|| {
            let first = commits.first().ok_or(Fault::NotRestorable)?;
            let (mut call, mut timers) = (Call::default(), Timers::default());
            for commit in commits {
                // Timers are effects and not in the journal, but the same decision yields them again.
                for effect in &call.decide(&commit.input, commit.at).effects {
                    timers.follow(effect);
                }
                for happened in &commit.events {
                    call.apply(&happened.event, commit.at)?;
                }
            }
            let sip = call.profile.as_ref().ok_or(Fault::NotRestorable)?.policy.sip;
            let config = seat.leg.clone().with_timers(sip);
            let leg = Leg::restore(commits, config, now).ok_or(Fault::NotRestorable)?;
            let mut core = Self::new(first.call, Arc::clone(seat), leg);
            // A version of `o=` that was certainly not used yet.
            core.descriptions = call.version;
            core.call = call;
            core.timers = timers;
            Ok(core)
        })
    }

    /// Boxed, because a core is large and its way to its host leads through many hands.
    fn new(id: CallId, seat: Arc<Seat>, leg: Leg) -> Box<Self> {
        Box::new(Self {
            id,
            seat,
            call: Call::default(),
            leg,
            timers: Timers::default(),
            queue: std::collections::VecDeque::new(),
            waiting: None,
            finished: false,
            descriptions: 0,
        })
    }

    /// Whether the leg of this call would take `message` rather than another call with the same Call-ID.
    #[must_use]
    pub fn claims(&self, message: &Message) -> bool {
        self.leg.claims(message)
    }
}
