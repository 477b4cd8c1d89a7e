//! A flow of the demo as data: who calls whom, what each does when, and how the call must have ended.

use callbox::Notification;
use callbox_events::call::Act;
use callbox_events::party::{Agent, Side};
use callbox_events::verdict::{AnswerKind, Cause, RaceKind, VerdictPhase};

use super::server::Step;

/// One flow: a row of SCENARIOS, played.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    /// The row's id.
    pub id: &'static str,
    /// What happens, in a few words.
    pub title: &'static str,
    /// Who places the call to whom.
    pub path: Path,
    /// Only for this call: A gives up after this many milliseconds.
    pub no_answer_ms: Option<u64>,
    /// What the users do.
    pub moves: &'static [Move],
    /// How it must have ended as A sees it; none if A takes no part.
    pub at_a: Option<Expected>,
    /// How it must have ended as B sees it; none if B takes no part.
    pub at_b: Option<Expected>,
}

/// The way of a call.
#[derive(Debug, Clone, Copy)]
pub enum Path {
    /// A calls B.
    Direct,
    /// A calls B by way of the server, which does this.
    Through(&'static [Step]),
    /// The server calls B and does this.
    FromServer(&'static [Step]),
}

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// The caller's.
    A,
    /// The callee's.
    B,
}

impl Party {
    /// The letter.
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
        }
    }
}

/// A user's move: once `on` was told at `seen_by`, and `after_ms` later, `who` does `what`.
#[derive(Debug, Clone, Copy)]
pub struct Move {
    /// Whose notification starts it.
    pub seen_by: Party,
    /// Which.
    pub on: Notification,
    /// The pause.
    pub after_ms: u64,
    /// Who moves.
    pub who: Party,
    /// What.
    pub what: Deed,
}

/// What a user does.
#[derive(Debug, Clone, Copy)]
pub enum Deed {
    /// Takes the call.
    Accept,
    /// Hangs up; if that is a reject, with this status.
    HangUp(Option<u16>),
    /// Puts the other on hold.
    Hold,
}

impl Move {
    /// `who` does `what` on its own notification.
    pub const fn own(who: Party, on: Notification, after_ms: u64, what: Deed) -> Self {
        Self { seen_by: who, on, after_ms, who, what }
    }
}

/// What the verdict must be. `None` and empty lists are not looked at.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// The proximate cause.
    pub cause: Cause,
    /// The side that ended it.
    pub side: Option<Side>,
    /// What acted there.
    pub agent: Option<Agent>,
    /// The act.
    pub act: Option<Act>,
    /// How far the call had come.
    pub phase: Option<VerdictPhase>,
    /// What answered.
    pub answer_kind: Option<AnswerKind>,
    /// The hidden cause: one of these.
    pub underlying: &'static [Cause],
    /// A race that must be told.
    pub race: Option<RaceKind>,
}

impl Expected {
    /// Cause and side, nothing more.
    pub const fn new(cause: Cause, side: Side) -> Self {
        Self {
            cause,
            side: Some(side),
            agent: None,
            act: None,
            phase: None,
            answer_kind: None,
            underlying: &[],
            race: None,
        }
    }

    /// The cause alone: from here the side can't be told.
    pub const fn whoever(cause: Cause) -> Self {
        Self { side: None, ..Self::new(cause, Side::Unknown) }
    }

    /// Also the agent.
    pub const fn by(self, agent: Agent) -> Self {
        Self { agent: Some(agent), ..self }
    }

    /// Also the act and the phase.
    pub const fn how(self, act: Act, phase: VerdictPhase) -> Self {
        Self { act: Some(act), phase: Some(phase), ..self }
    }

    /// Also an announcement that hides one of these causes.
    pub const fn announced(self, underlying: &'static [Cause]) -> Self {
        Self { answer_kind: Some(AnswerKind::Announcement), underlying, ..self }
    }

    /// Also a race.
    pub const fn race(self, race: RaceKind) -> Self {
        Self { race: Some(race), ..self }
    }
}
