//! Laws: the true difference of two clocks lies within what is said of it; the order of two stores does not matter; a
//! match is unique where it is inferred.

use std::collections::BTreeSet;
use std::time::Duration;

use callbox_events::Timestamp;
use callbox_events::party::Role;
use callbox_events::schema::StoredCommit;
use callbox_events::verdict::Direction;
use callbox_events::view::join::{Absence, Basis, CallKey, Clocks, Matched, Presence, match_calls};
use proptest::prelude::*;

use super::{script, stored};

fn key(script: &str) -> CallKey {
    CallKey::of(&stored(script::play(script))).unwrap()
}

/// A message: who sent it, when by the true time, how long it took.
fn message() -> impl Strategy<Value = (Role, u64, u64)> {
    (prop_oneof![Just(Role::Caller), Just(Role::Callee)], 0u64..60_000_000, 0u64..400_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn the_true_difference_lies_within_what_is_said(
        ahead in -3_600_000_000i64..3_600_000_000,
        messages in prop::collection::vec(message(), 1..30),
    ) {
        let start = 1_790_000_000_000_000u64;
        let clock = |end: Role, at: u64| match end {
            Role::Caller => Timestamp::from_micros(start + at),
            Role::Callee => Timestamp::from_micros((start + at).saturating_add_signed(ahead)),
        };
        let mut clocks = Clocks::default();
        for (from, at, took) in &messages {
            clocks.take(*from, clock(*from, *at), clock(from.peer(), at + took));
        }
        let estimate = clocks.estimate().unwrap();
        prop_assert!(estimate.steady);
        let both = [Role::Caller, Role::Callee].iter().all(|end| messages.iter().any(|(from, _, _)| from == end));
        prop_assert_eq!(estimate.uncertainty_us.is_some(), both);
        match estimate.uncertainty_us {
            Some(within) => prop_assert!(estimate.offset_us.abs_diff(ahead) <= within, "{estimate:?}, in truth {ahead}"),
            None => {
                prop_assert!(clocks.at_least_us.is_none_or(|least| least <= ahead));
                prop_assert!(clocks.at_most_us.is_none_or(|most| most >= ahead));
            }
        }
        let turned = clocks.turned();
        prop_assert_eq!(turned.turned(), clocks);
        prop_assert!(turned.estimate().unwrap().offset_us.abs_diff(-estimate.offset_us) <= 1);
    }

    #[test]
    fn the_order_of_two_stores_does_not_matter(a in keys(Direction::Outgoing), b in keys(Direction::Incoming)) {
        let one: BTreeSet<_> = match_calls(&a, &b).into_iter().map(|m| (m.a, m.b, m.basis)).collect();
        let two: BTreeSet<_> = match_calls(&b, &a).into_iter().map(|m| (m.b, m.a, m.basis)).collect();
        prop_assert_eq!(&one, &two);
        let inferred = one.iter().filter(|(_, _, basis)| *basis == Basis::PartiesAndTime);
        let mut seen = BTreeSet::new();
        for (a, b, _) in inferred {
            prop_assert!(seen.insert(("a", *a)) && seen.insert(("b", *b)), "an inferred match is the only one");
        }
        for (a_index, b_index, basis) in &one {
            let same = a[*a_index].sip_call_id == b[*b_index].sip_call_id;
            prop_assert_eq!(same, *basis == Basis::CallId);
        }
    }
}

/// Calls of one direction, with few names and times, so that they meet.
fn keys(direction: Direction) -> impl Strategy<Value = Vec<CallKey>> {
    let one = (0u8..6, 0u8..3, 0u64..20, any::<Option<bool>>());
    prop::collection::vec(one, 0..8).prop_map(move |calls| {
        let template = key("place; 180");
        let each =
            |(index, (call_id, user, second, session)): (usize, (u8, u8, u64, Option<bool>))| CallKey {
                call: callbox_events::CallId::from_bytes([direction as u8 * 100 + index as u8; 16]),
                direction,
                // Calls that went through keep their Call-ID; 4 and 5 are those that something between began anew.
                sip_call_id: if call_id < 4 {
                    format!("c{call_id}")
                } else {
                    format!("{}-{index}", direction.code())
                },
                from_tag: "a".into(),
                session_ids: session.map(|odd| format!("{:032x}", u8::from(odd) + 1)).into_iter().collect(),
                from: "alice".into(),
                to: format!("user{user}"),
                started_at: Timestamp::from_micros(1_790_000_000_000_000) + Duration::from_secs(second),
                ..template.clone()
            };
        calls.into_iter().enumerate().map(each).collect()
    })
}

fn at(call: &CallKey, second: u64) -> CallKey {
    CallKey { started_at: call.started_at + Duration::from_secs(second), ..call.clone() }
}

fn partners(caller: &CallKey, others: &[CallKey]) -> Vec<Matched> {
    match_calls(std::slice::from_ref(caller), others)
}

#[test]
fn a_call_that_something_between_began_anew_is_inferred_only_where_it_must_be_it() {
    let caller = key("place; 180");
    let callee = CallKey { sip_call_id: "anew".into(), ..key("invite; ring") };
    let found = partners(&caller, std::slice::from_ref(&callee));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].basis, found[0].basis.is_inferred()), (Basis::PartiesAndTime, true));
    assert!(partners(&caller, &[callee.clone(), at(&callee, 2)]).is_empty(), "two would fit");
    assert!(partners(&caller, &[at(&callee, 60)]).is_empty(), "another time");
    let other = CallKey { to: "carol".into(), ..callee };
    assert!(partners(&caller, &[other]).is_empty(), "another party");
    assert!(partners(&caller, std::slice::from_ref(&caller)).is_empty(), "the same record is no other end");
}

#[test]
fn forks_of_one_call_are_all_joined_to_it() {
    let caller = key("place; 180 tag=x; 180 tag=y; 200 tag=x");
    let fork = |index: u8, tag: &str| CallKey {
        call: callbox_events::CallId::from_bytes([index; 16]),
        to_tags: vec![tag.into()],
        ..key("invite; ring")
    };
    let found = match_calls(&[caller], &[fork(1, "x"), fork(2, "y")]);
    assert_eq!(
        found.iter().map(|m| (m.b, m.basis)).collect::<Vec<_>>(),
        [(0, Basis::CallId), (1, Basis::CallId)]
    );
}

#[test]
fn a_missing_record_is_only_missed_where_it_should_be() {
    let there = CallKey { local: "192.0.2.7:5060".into(), ..key("invite; ring; +600s; cancel") };
    let there = Presence::of(&[there]);
    let answered = key("place; 180; 486");
    assert_eq!(there.without(&answered, 0), Absence::NoRecord);
    assert_eq!(there.without(&key("place; timeout invite"), 0), Absence::NeverArrived);
    assert_eq!(there.without(&at(&answered, 3_600), 0), Absence::Elsewhere, "the store was not written then");
    assert_eq!(Presence::default().without(&answered, 0), Absence::Elsewhere);
    let elsewhere = CallKey { local: "192.0.2.99:5060".into(), ..key("invite; ring; +600s; cancel") };
    assert_eq!(Presence::of(&[elsewhere]).without(&answered, 0), Absence::Elsewhere);
}

#[test]
fn the_chart_of_two_records_has_both_ends_and_one_clock() {
    let shift = |commits: Vec<StoredCommit>, by: Duration| -> Vec<StoredCommit> {
        commits
            .into_iter()
            .map(|mut stored| {
                stored.commit.at = stored.commit.at + by;
                stored
            })
            .collect()
    };
    let caller = stored(script::play("place; 180; 200; +5s; hangup; bye-answer 200"));
    let callee = stored(script::play("invite; ring; accept; ack; +5s; bye"));
    let late = shift(callee.clone(), Duration::from_secs(3_600));
    let an_hour = Clocks { at_least_us: Some(3_600_000_000), at_most_us: Some(3_600_000_000) };
    let one = callbox_events::view::join::merged(&caller, &callee, Basis::CallId, None).unwrap();
    let two = callbox_events::view::join::merged(&caller, &late, Basis::CallId, an_hour.estimate()).unwrap();
    assert_eq!(one.rows, two.rows);
    assert_eq!(one.participants.iter().filter(|line| line.us).count(), 2);
}
