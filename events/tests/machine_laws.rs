//! Laws of the call machine, and of what decides a record again, over random lives of calls.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use callbox_events::call::{
    Call, Command, Event, Hangup, IncomingPolicy, Input, Invite, Note, Outcome, Pending, Phase, Policy,
    Recovery, RecoveryPolicy, RefusalKind, Signal, TimerId,
};
use callbox_events::party::{Agent, Role};
use callbox_events::schema::{self, Commit, Happened, StoredCommit};
use callbox_events::sip::{Counters, MediaDirection, Reason, Request, Response, Sdp};
use callbox_events::verdict::Cause;
use callbox_events::view::{Change, Setting, rerun, what_if};
use callbox_events::{CallId, Timestamp};
use proptest::prelude::*;
use support::build;

fn response() -> impl Strategy<Value = Response> {
    let status = prop_oneof![100u16..700, Just(100), Just(180), Just(183), Just(200), Just(487), Just(481)];
    (status, any::<bool>(), 0u8..4, any::<bool>()).prop_map(|(status, sdp, fork, reason)| Response {
        to_tag: (fork > 0).then(|| format!("fork{fork}")),
        sdp: sdp.then(Sdp::default),
        reasons: if reason { vec![Reason::q850(17, "busy")] } else { Vec::new() },
        ..build::response(status)
    })
}

fn request(method: &'static str) -> impl Strategy<Value = Request> {
    let directions = prop_oneof![
        Just(None),
        Just(Some(MediaDirection::SendRecv)),
        Just(Some(MediaDirection::SendOnly)),
        Just(Some(MediaDirection::Inactive)),
    ];
    directions.prop_map(move |direction| Request {
        sdp: direction.map(|direction| Sdp { direction, ..Sdp::default() }),
        ..build::request(method)
    })
}

fn pending() -> impl Strategy<Value = Pending> {
    prop_oneof![
        Just(Pending::Invite),
        Just(Pending::Cancel),
        Just(Pending::Bye),
        Just(Pending::Reinvite),
        Just(Pending::Other),
    ]
}

fn timer() -> impl Strategy<Value = TimerId> {
    prop_oneof![
        Just(TimerId::NoAnswer),
        Just(TimerId::RingDelay),
        Just(TimerId::AnswerDelay),
        Just(TimerId::HangupDelay),
        Just(TimerId::CancelGiveUp),
        Just(TimerId::AnnouncementMax),
        Just(TimerId::MaxDuration),
        Just(TimerId::EndGrace),
    ]
}

fn signal() -> impl Strategy<Value = Signal> {
    prop_oneof![
        Just(Signal::Reachable { peer: build::peer() }),
        request("CANCEL").prop_map(Signal::Cancel),
        request("ACK").prop_map(Signal::Ack),
        request("BYE").prop_map(Signal::Bye),
        request("INVITE").prop_map(Signal::Reinvite),
        request("INFO").prop_map(Signal::Request),
        response().prop_map(Signal::Provisional),
        response().prop_map(Signal::Success),
        response().prop_map(Signal::Failure),
        response().prop_map(Signal::CancelAnswered),
        response().prop_map(Signal::ByeAnswered),
        response().prop_map(Signal::ReinviteAnswered),
        pending().prop_map(Signal::TimedOut),
        Just(Signal::AckMissing),
        pending().prop_map(|pending| Signal::TransportFailed { pending, detail: "gone".into() }),
        Just(Signal::Drained(Counters { sent_again: 1, ..Counters::default() })),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::Ring),
        Just(Command::Accept),
        Just(Command::Hold),
        Just(Command::Resume),
        Just(Command::Divert { to: "sip:x@example.org".into() }),
        (any::<Option<u16>>(), prop::option::of(prop::sample::select(Cause::ALL)))
            .prop_map(|(status, cause)| Command::Hangup(Hangup { status, cause, ..Hangup::by(Agent::User) })),
        prop::sample::select(Note::ALL.to_vec()).prop_map(Command::Note),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        6 => signal().prop_map(Input::Signal),
        4 => command().prop_map(Input::Command),
        2 => timer().prop_map(Input::Timer),
        1 => Just(Input::Recovery(Recovery { last_event_at: Timestamp::from_micros(1), fault: "crash".into() })),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    let incoming = prop_oneof![
        Just(IncomingPolicy::Wait),
        Just(IncomingPolicy::Ring),
        Just(IncomingPolicy::Answer),
        (any::<u16>()).prop_map(|status| IncomingPolicy::Refuse { status, why: RefusalKind::MaxCalls }),
    ];
    (incoming, any::<bool>(), prop::option::of(0u64..50_000)).prop_map(|(incoming, end, ms)| Policy {
        incoming,
        no_answer_ms: ms,
        end_grace_ms: ms,
        max_duration_ms: ms,
        answer_after_ms: ms,
        recovery: if end { RecoveryPolicy::End } else { RecoveryPolicy::Resume },
        ..Policy::default()
    })
}

fn first() -> impl Strategy<Value = Input> {
    (policy(), any::<bool>(), any::<bool>(), prop::option::of(0u32..100)).prop_map(
        |(policy, caller, reachable, expires)| {
            if caller {
                let mut place = build::place(policy);
                place.reachable = reachable;
                Input::Command(Command::Place(Box::new(place)))
            } else {
                Input::Signal(Signal::Invite(Box::new(Invite { expires, ..build::invite(policy) })))
            }
        },
    )
}

/// A call's life, lived as an engine lives it: decide, record, apply.
struct Life {
    call: Call,
    now: Timestamp,
    journal: Vec<Commit>,
}

impl Life {
    fn new() -> Self {
        Self { call: Call::default(), now: Timestamp::from_micros(1_000_000), journal: Vec::new() }
    }

    fn live(&mut self, input: &Input) -> Option<Outcome> {
        self.now = self.now + Duration::from_millis(7);
        let decision = self.call.decide(input, self.now);
        assert_eq!(decision, self.call.decide(input, self.now), "deciding twice must give the same");
        if decision.events.is_empty() {
            assert!(
                decision.effects.is_empty(),
                "an effect without an event would leave no trace: {decision:?}"
            );
            return decision.outcome;
        }
        let (phase_before, version) = (self.call.phase(), self.call.version);
        let mut events = Vec::new();
        for event in decision.events {
            self.call.apply(&event, self.now).expect("what was decided must be legal");
            events.push(Happened { phase: self.call.phase(), event });
        }
        self.journal.push(Commit {
            call: CallId::derive(Timestamp::default(), Role::Caller, "law", "tag", 1),
            version,
            at: self.now,
            node: String::new(),
            epoch: 0,
            phase_before,
            input: input.clone(),
            events,
            wire: Vec::new(),
        });
        decision.outcome
    }

    fn stored(&self) -> Vec<StoredCommit> {
        let store = |commit: &Commit| StoredCommit::plain(commit.version, [0; 32], commit.clone());
        self.journal.iter().map(store).collect()
    }

    fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.journal
            .iter()
            .flat_map(|commit| &commit.events)
            .filter(|happened| wanted(&happened.event))
            .count()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_life_is_legal_ends_once_and_replays(first in first(), inputs in prop::collection::vec(input(), 0..40)) {
        let mut life = Life::new();
        life.live(&first);
        for input in &inputs {
            life.live(input);
        }
        let ends = life.count(|event| matches!(event, Event::Ended(_)));
        let over = life.call.phase() == Phase::Ended;
        prop_assert_eq!(ends, usize::from(over), "exactly one end, and none before it is over");
        prop_assert!(life.count(|event| matches!(event, Event::Ending(_))) <= 1);
        prop_assert!(life.count(|event| matches!(event, Event::Released(_))) <= 1);
        if life.call.is_released() {
            let last = life.journal.last().and_then(|commit| commit.events.last());
            prop_assert!(matches!(last.map(|h| &h.event), Some(Event::Released(_))), "nothing after released");
        }

        // Replay: the journal's bytes alone lead to the same state and to the same decisions.
        let mut replayed = Call::default();
        for commit in &life.journal {
            let read = schema::decode(&schema::encode(commit).unwrap()).unwrap();
            prop_assert_eq!(&read, commit);
            prop_assert_eq!(read.version, replayed.version);
            let again = replayed.decide(&read.input, read.at);
            let recorded: Vec<_> = read.events.iter().map(|happened| happened.event.clone()).collect();
            prop_assert_eq!(again.events, recorded);
            for happened in &read.events {
                replayed.apply(&happened.event, read.at).unwrap();
                prop_assert_eq!(replayed.phase(), happened.phase);
            }
        }
        prop_assert_eq!(replayed, life.call);
    }

    #[test]
    fn a_hangup_works_in_every_state_and_leads_to_the_end(first in first(), inputs in prop::collection::vec(input(), 0..20)) {
        let mut life = Life::new();
        life.live(&first);
        for input in &inputs {
            life.live(input);
        }
        let was_over = matches!(life.call.phase(), Phase::Ending | Phase::Ended);
        let outcome = life.live(&Input::Command(Command::Hangup(Hangup::by(Agent::User))));
        prop_assert_eq!(outcome, Some(if was_over { Outcome::AlreadyEnded } else { Outcome::Accepted }));
        let length = life.journal.len();
        let again = life.live(&Input::Command(Command::Hangup(Hangup::by(Agent::User))));
        prop_assert_eq!(again, Some(Outcome::AlreadyEnded));
        prop_assert_eq!(life.journal.len(), length, "a repeated hang-up leaves no trace");

        // The peer is dead: only our own timers speak.
        for input in [
            Input::Signal(Signal::AckMissing),
            Input::Signal(Signal::TimedOut(Pending::Invite)),
            Input::Signal(Signal::TimedOut(Pending::Bye)),
            Input::Timer(TimerId::CancelGiveUp),
        ] {
            life.live(&input);
        }
        prop_assert_eq!(life.call.phase(), Phase::Ended, "a dead peer can't keep a call alive");
        life.live(&Input::Signal(Signal::Drained(Counters::default())));
        prop_assert!(life.call.is_released());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_what_if_without_a_change_is_the_record(first in first(), inputs in prop::collection::vec(input(), 0..40)) {
        let mut life = Life::new();
        life.live(&first);
        inputs.iter().for_each(|input| { life.live(input); });
        let record = life.stored();
        let again = what_if(&record, &[]).unwrap();
        prop_assert_eq!(again.commits, record);
        prop_assert_eq!(again.assumptions, vec![]);
    }

    #[test]
    fn a_what_if_with_any_rules_is_a_life_that_the_machine_decides(
        first in first(),
        inputs in prop::collection::vec(input(), 0..30),
        rules in prop::collection::vec((prop::sample::select(&Setting::ALL[..]), 0u64..60_000), 1..4),
    ) {
        let mut life = Life::new();
        life.live(&first);
        inputs.iter().for_each(|input| { life.live(input); });
        let changes: Vec<Change> = rules
            .into_iter()
            .map(|(setting, number)| {
                let value = match setting {
                    Setting::Incoming => ["wait", "ring", "answer", "busy", "reject:603"][number as usize % 5].into(),
                    Setting::Recovery => ["resume", "end"][number as usize % 2].into(),
                    _ => format!("{}ms", number.max(1)),
                };
                Change::Set(setting, value)
            })
            .collect();
        let other = what_if(&life.stored(), &changes).unwrap();
        prop_assert_eq!(rerun(&other.commits).divergence, None);
        let ends = other.commits.iter().flat_map(|stored| &stored.commit.events);
        let ends = ends.filter(|happened| matches!(happened.event, Event::Ended(_))).count();
        prop_assert!(ends <= 1);
        let times: Vec<_> = other.commits.iter().map(|stored| stored.commit.at).collect();
        prop_assert!(times.is_sorted());
        prop_assert_eq!(&what_if(&life.stored(), &changes).unwrap(), &other, "the same again");
    }
}
