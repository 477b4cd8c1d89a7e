//! A call in one line (INTERFACE: "A call in `list --json` and in `GET /v1/calls`").

use serde::{Deserialize, Serialize};

use crate::call::{Ended, Event, Phase, Policy};
use crate::ids::CallId;
use crate::schema::Commit;
use crate::sip::Dialog;
use crate::time::{Timestamp, rfc3339};
use crate::verdict::{Direction, Verdict, judge};

/// A call in one line. The order of the fields is that of the JSON object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallSummary {
    /// Our id of it.
    pub call_id: CallId,
    /// The Call-ID header.
    pub sip_call_id: String,
    /// Placed, received or observed.
    pub direction: Direction,
    /// Who calls, as a URI.
    pub from: String,
    /// Who is called, as a URI.
    pub to: String,
    /// When the first event was recorded.
    #[serde(with = "rfc3339")]
    pub started_at: Timestamp,
    /// When the 2xx came or went; none if there was none.
    #[serde(with = "rfc3339::option")]
    pub answered_at: Option<Timestamp>,
    /// When it was over; none for a live call. After a crash: when the engine was back, the latest possible end.
    #[serde(with = "rfc3339::option")]
    pub ended_at: Option<Timestamp>,
    /// Milliseconds of conversation, from the answer to the end; none for a call that was not answered, still lives, or
    /// ended at an unknown time (a crash).
    pub duration_ms: Option<u64>,
    /// Where the machine stands.
    pub phase: Phase,
    /// Family of the verdict; `unknown` for a live call, none while nobody has judged the ended one.
    pub family: Option<String>,
    /// Cause of the verdict; `alive` for a live call.
    pub cause: Option<String>,
    /// The side that caused the end.
    pub side: Option<String>,
    /// What acted on that side.
    pub agent: Option<String>,
    /// How many events are recorded.
    pub events: u64,
}

impl CallSummary {
    /// The summary of a call of which `first` is the first commit, that commit absorbed; none if it is not a first one.
    #[must_use]
    pub fn begin(first: &Commit) -> Option<Self> {
        let (direction, from, to, dialog) = opening(&first.events.first()?.event)?;
        let mut summary = Self {
            call_id: first.call,
            sip_call_id: dialog.sip_call_id.clone(),
            direction,
            from: from.clone(),
            to: to.clone(),
            started_at: first.at,
            answered_at: None,
            ended_at: None,
            duration_ms: None,
            phase: first.phase_before,
            family: Some("unknown".into()),
            cause: Some("alive".into()),
            side: Some("unknown".into()),
            agent: Some("unknown".into()),
            events: 0,
        };
        summary.absorb(first);
        Some(summary)
    }

    /// Takes the call's next commit in. Once the call has ended the verdict fields are none until
    /// [`CallSummary::judged`].
    pub fn absorb(&mut self, commit: &Commit) {
        for happened in &commit.events {
            self.events += 1;
            self.phase = happened.phase;
            if let Event::Answered(_) = &happened.event {
                self.answered_at = self.answered_at.or(Some(commit.at));
            } else if let Event::Ended(ended) = &happened.event {
                self.end(ended, commit.at);
            }
        }
    }

    /// An end that lies in an interval has no length that could be stated.
    fn end(&mut self, ended: &Ended, at: Timestamp) {
        self.ended_at = Some(ended.between.map_or(at, |(_, latest)| latest));
        self.duration_ms = match (self.answered_at, ended.between) {
            (Some(answered), None) => Some(u64::try_from(at.since(answered).as_millis()).unwrap_or(u64::MAX)),
            (Some(_), Some(_)) | (None, _) => None,
        };
        (self.family, self.cause, self.side, self.agent) = (None, None, None, None);
    }

    /// Fills in what the rulebook said.
    pub fn judged(&mut self, verdict: &Verdict) {
        self.family = Some(verdict.family.code().to_owned());
        self.cause = Some(verdict.cause.code().to_owned());
        self.side = Some(verdict.ended_by.side.code().to_owned());
        self.agent = Some(verdict.ended_by.agent.code().to_owned());
    }

    /// Whether the call is not over yet.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.ended_at.is_none()
    }
}

/// Direction, From URI, To URI and dialog, if `event` is one that begins a call.
pub(super) fn opening(event: &Event) -> Option<(Direction, &String, &String, &Dialog)> {
    if let Event::Placed(placed) = event {
        Some((Direction::Outgoing, &placed.from, &placed.to, &placed.dialog))
    } else if let Event::Offered(offered) = event {
        Some((Direction::Incoming, &offered.from, &offered.to, &offered.dialog))
    } else if let Event::Observed(observed) = event {
        Some((Direction::Observed, &observed.from, &observed.to, &observed.dialog))
    } else {
        None
    }
}

/// The rules that a call began with, if `first` is its first commit.
#[must_use]
pub fn policy(first: &Commit) -> Option<&Policy> {
    let event = &first.events.first()?.event;
    if let Event::Placed(placed) = event {
        Some(&placed.policy)
    } else if let Event::Offered(offered) = event {
        Some(&offered.policy)
    } else {
        None
    }
}

/// The summary of a call from its commits in order, judged; none if the first of them does not begin a call.
pub fn summarise<'a>(commits: impl IntoIterator<Item = &'a Commit> + Clone) -> Option<CallSummary> {
    let mut rest = commits.clone().into_iter();
    let mut summary = CallSummary::begin(rest.next()?)?;
    rest.for_each(|commit| summary.absorb(commit));
    if !summary.is_live() {
        summary.judged(&judge(commits));
    }
    Some(summary)
}
