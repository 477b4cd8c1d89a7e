//! A verdict in the making: what a rule concludes, before contradictions, races and announcements are weighed.

use super::facts::Facts;
use super::families::Cause;
use super::tuple::{Evidence, Underlying};
use super::vocabulary::{Confidence, Fault};
use crate::call::Act;
use crate::party::{Agent, Side};

/// What a rule concludes.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub cause: Cause,
    pub side: Side,
    pub agent: Agent,
    pub act: Option<Act>,
    pub confidence: Confidence,
    pub underlying: Option<Underlying>,
    /// Set by a rule that knows better than the table of causes.
    pub fault: Option<Fault>,
    pub evidence: Vec<Evidence>,
    pub against: Vec<Evidence>,
}

impl Draft {
    /// A certain conclusion: our own act, or determined by the protocol.
    pub(super) fn certain(cause: Cause, side: Side, agent: Agent) -> Self {
        Self::new(cause, side, agent, Confidence::Certain)
    }

    /// Testimony that agrees with the facts.
    pub(super) fn strong(cause: Cause, side: Side, agent: Agent) -> Self {
        Self::new(cause, side, agent, Confidence::Strong)
    }

    /// An inference.
    pub(super) fn weak(cause: Cause, side: Side, agent: Agent) -> Self {
        Self::new(cause, side, agent, Confidence::Weak)
    }

    fn new(cause: Cause, side: Side, agent: Agent, confidence: Confidence) -> Self {
        Self {
            cause,
            side,
            agent,
            act: None,
            confidence,
            underlying: None,
            fault: None,
            evidence: Vec::new(),
            against: Vec::new(),
        }
    }

    /// By this act.
    pub(super) fn by(mut self, act: Act) -> Self {
        self.act = Some(act);
        self
    }

    /// By the act that the machine recorded for the end.
    pub(super) fn by_recorded(mut self, facts: &Facts<'_>) -> Self {
        self.act = facts
            .ending()
            .map(|ending| ending.what.act)
            .or_else(|| facts.ended.map(|ended| ended.what.act))
            .or(self.act);
        self
    }

    /// Because of this event.
    pub(super) fn because(mut self, event: u64, says: impl Into<String>) -> Self {
        self.evidence.push(Evidence::new(event, says));
        self
    }

    /// Although there is this event.
    pub(super) fn despite(mut self, event: u64, says: impl Into<String>) -> Self {
        self.against.push(Evidence::new(event, says));
        self
    }

    /// Hiding this.
    pub(super) fn hiding(mut self, underlying: Underlying) -> Self {
        self.underlying = Some(underlying);
        self
    }

    /// All rows that no rule has put its name to were heard by this one.
    pub(super) fn stamped(mut self, rule: &str) -> Self {
        let hidden = self.underlying.iter_mut().flat_map(|hidden| &mut hidden.evidence);
        for row in self.evidence.iter_mut().chain(&mut self.against).chain(hidden) {
            row.rule.get_or_insert_with(|| rule.to_owned());
        }
        self
    }

    /// Not more than this sure.
    pub(super) fn at_most(mut self, confidence: Confidence) -> Self {
        self.confidence = self.confidence.min(confidence);
        self
    }
}
