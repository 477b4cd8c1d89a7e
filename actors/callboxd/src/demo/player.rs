//! Plays all flows at once: follows both engines' notifications and makes the users' moves.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use callbox::{CallId, Hangup, Notification, Notifications, Notified, Outcome};
use callbox_events::call::Command;
use callbox_events::party::Agent;
use tokio::time::{Instant, sleep, timeout_at};

use super::flow::{Deed, Flow, Move, Party};
use super::stage::Stage;
use super::{flows, timing};
use crate::failure::Failure;

/// The calls of one flow.
#[derive(Debug, Clone)]
pub struct Played {
    /// The flow.
    pub flow: &'static Flow,
    /// A's call.
    pub a: Option<CallId>,
    /// B's call.
    pub b: Option<CallId>,
    /// What went wrong while it was played.
    pub troubles: Vec<String>,
    told: Vec<(Party, Notification)>,
}

/// Who is in which flow, and how far that is.
struct Board {
    flows: Vec<Played>,
    whose: HashMap<CallId, (usize, Party)>,
}

/// Plays everything and waits until all calls are released.
///
/// # Errors
/// If a call can't be placed or an engine can't be followed.
pub async fn play(stage: &Rc<Stage>) -> Result<Vec<Played>, Failure> {
    let (mut at_a, mut at_b) = (stage.follow(Party::A)?, stage.follow(Party::B)?);
    let board = Rc::new(RefCell::new(Board { flows: Vec::new(), whose: HashMap::new() }));
    for flow in flows::all() {
        // Before anything is read of what the engines tell, so that A's calls are known by then.
        let a = stage.place(flow).await?;
        board.borrow_mut().add(flow, a);
    }
    let end = Instant::now() + timing::STUCK;
    while !board.borrow().is_done() {
        let Ok(next) = timeout_at(end, either(&mut at_a, &mut at_b)).await else { break };
        let Some((party, notified)) = next else { break };
        for (at, step) in board.borrow_mut().take(party, &notified) {
            tokio::task::spawn_local(make_move(Rc::clone(stage), Rc::clone(&board), at, step));
        }
    }
    Ok(board.borrow().flows.clone())
}

/// The next notification of either engine; none if a journal ends or can't be read.
async fn either(a: &mut Notifications, b: &mut Notifications) -> Option<(Party, Notified)> {
    let (party, next) = tokio::select! {
        next = a.next() => (Party::A, next),
        next = b.next() => (Party::B, next),
    };
    next.and_then(Result::ok).map(|notified| (party, notified))
}

impl Board {
    fn add(&mut self, flow: &'static Flow, a: Option<CallId>) {
        let index = self.flows.len();
        self.flows.push(Played { flow, a, b: None, troubles: Vec::new(), told: Vec::new() });
        if let Some(call) = a {
            self.whose.insert(call, (index, Party::A));
        }
    }

    /// Takes a notification; the moves that it leads to.
    fn take(&mut self, party: Party, notified: &Notified) -> Vec<(usize, Move)> {
        let Some((index, _)) = self.whose.get(&notified.call).copied().or_else(|| self.meet(party, notified))
        else {
            return Vec::new();
        };
        let Some(played) = self.flows.get_mut(index) else { return Vec::new() };
        played.hear(party, notified.notification);
        let meant = |step: &&Move| step.seen_by == party && step.on == notified.notification;
        played.flow.moves.iter().filter(meant).map(|&step| (index, step)).collect()
    }

    /// A new call at B: the flow is named in its source, `sip:alice.3g@…`.
    fn meet(&mut self, party: Party, notified: &Notified) -> Option<(usize, Party)> {
        let from = notified.data.get("from")?.as_str()?;
        let index = self.flows.iter().position(|played| from.contains(&format!(".{}@", played.flow.id)))?;
        let played = self.flows.get_mut(index)?;
        played.b = Some(notified.call);
        self.whose.insert(notified.call, (index, party));
        Some((index, party))
    }

    fn is_done(&self) -> bool {
        self.flows.iter().all(Played::is_done)
    }
}

impl Played {
    /// The call of a party.
    pub fn call(&self, party: Party) -> Option<CallId> {
        match party {
            Party::A => self.a,
            Party::B => self.b,
        }
    }

    /// How often a party was told something.
    pub fn count(&self, party: Party, notification: Notification) -> usize {
        self.told.iter().filter(|&&told| told == (party, notification)).count()
    }

    fn hear(&mut self, party: Party, notification: Notification) {
        if self.count(party, Notification::Released) > 0 {
            self.troubles.push(format!("{} was told {} after the end", party.name(), notification.code()));
        }
        self.told.push((party, notification));
    }

    fn is_done(&self) -> bool {
        let done = |party, wanted: bool| !wanted || self.count(party, Notification::Released) > 0;
        done(Party::A, self.flow.at_a.is_some()) && done(Party::B, self.flow.at_b.is_some())
    }
}

async fn make_move(stage: Rc<Stage>, board: Rc<RefCell<Board>>, index: usize, step: Move) {
    sleep(Duration::from_millis(step.after_ms)).await;
    let call = board.borrow().flows.get(index).and_then(|played| played.call(step.who));
    let trouble = match call {
        None => Some("its call is not known".to_owned()),
        Some(call) => match stage.engine(step.who).command(call, step.what.command()).await {
            Ok(Outcome::Accepted) => None,
            Ok(Outcome::AlreadyEnded) => Some("the call had ended already".to_owned()),
            Ok(Outcome::Refused) => Some("that was refused".to_owned()),
            Err(error) => Some(error.to_string()),
        },
    };
    if let Some(why) = trouble
        && let Some(played) = board.borrow_mut().flows.get_mut(index)
    {
        played.troubles.push(format!("{} should {}: {why}", step.who.name(), step.what.name()));
    }
}

impl Deed {
    fn command(self) -> Command {
        match self {
            Self::Accept => Command::Accept,
            Self::HangUp(status) => Command::Hangup(Hangup { status, ..Hangup::by(Agent::User) }),
            Self::Hold => Command::Hold,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::HangUp(_) => "hang up",
            Self::Hold => "hold",
        }
    }
}
