//! What holds for whatever passes by, in whatever order.

use std::time::Duration;

use callbox_events::Timestamp;
use callbox_events::schema::Commit;
use callbox_events::verdict::{Cause, why};
use callbox_sip::observe::tones::ToneKind;
use callbox_sip::observe::{Observer, ObserverConfig, Sighting};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::script::{Script, address, by_call, heard, observe, resumed};
use crate::tables::{rows, whole};

/// All messages of all tables.
fn traffic() -> Vec<Sighting> {
    rows().iter().flat_map(|row| Script::play(&row.script)).collect()
}

fn watch(config: ObserverConfig, sightings: &[Sighting]) -> Vec<Commit> {
    let mut observer = Observer::new(config);
    let mut commits = Vec::new();
    for sighting in sightings {
        commits.extend(observer.see(sighting.clone()));
        // Now and then there is a tone, wherever it belongs.
        if sighting.at.micros().is_multiple_of(3) {
            let tone = heard(ToneKind::Busy, sighting.at, Duration::from_secs(3));
            commits.extend(observer.hear(sighting.at, address('A', 4000), tone));
        }
        assert!(observer.calls() <= config.max_calls, "{} calls are kept in mind", observer.calls());
    }
    commits.extend(observer.finish());
    assert_eq!(observer.calls(), 0);
    commits
}

/// Some messages of the tables in any order, at any times, some of them damaged.
fn sightings() -> impl Strategy<Value = Vec<Sighting>> {
    let traffic = traffic();
    let damage = prop::option::weighted(0.2, (any::<Index>(), any::<u8>()));
    let one = (any::<Index>(), 0u64..40_000, damage, any::<bool>());
    prop::collection::vec(one, 1..120).prop_map(move |picks| {
        let mut now = 1_700_000_000_000_000;
        let mut sightings = Vec::new();
        for (pick, pause_ms, damage, backwards) in picks {
            let mut sighting = pick.get(&traffic).clone();
            now += pause_ms * 1000;
            // Clocks of captures jump.
            let at = if backwards { now - 500_000 } else { now };
            sighting.at = Timestamp::from_micros(at);
            if let Some((place, byte)) = damage {
                let mut bytes = sighting.bytes.to_vec();
                if !bytes.is_empty() {
                    let place = place.index(bytes.len());
                    bytes[place] = byte;
                }
                sighting.bytes = bytes.into();
            }
            sightings.push(sighting);
        }
        sightings
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_passes_every_call_ends_once_and_the_same_way_again(sightings in sightings()) {
        let commits = watch(ObserverConfig::default(), &sightings);
        prop_assert_eq!(&commits, &watch(ObserverConfig::default(), &sightings));
        for call in by_call(commits) {
            whole("any order", &call);
        }
    }

    #[test]
    fn a_crowd_is_not_kept_in_mind(sightings in sightings(), most in 1usize..4) {
        let config = ObserverConfig {
            max_calls: most,
            max_known: 4,
            max_messages: 6,
            idle: Duration::from_secs(20),
            ..ObserverConfig::default()
        };
        for call in by_call(watch(config, &sightings)) {
            whole("a crowd", &call);
        }
    }

    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut sighting = traffic().remove(0);
        sighting.bytes = bytes.into();
        let commits = watch(ObserverConfig::default(), &[sighting]);
        for call in by_call(commits) {
            whole("any bytes", &call);
        }
    }
}

/// Killed anywhere: what was on record is gone on with, whole, and nothing is written twice.
#[test]
fn an_observer_that_is_killed_goes_on_where_its_record_ends() {
    for row in rows() {
        let sightings = Script::play(&row.script);
        for cut in 1..sightings.len() {
            let (before, after) = sightings.split_at(cut);
            let mut observer = Observer::new(ObserverConfig::default());
            let mut commits: Vec<Commit> = before.iter().flat_map(|one| observer.see(one.clone())).collect();
            let mut observer = resumed(&commits, before[cut - 1].at);
            commits.extend(after.iter().flat_map(|one| observer.see(one.clone())));
            commits.extend(observer.finish());
            assert_eq!(observer.calls(), 0, "{}", row.title);
            for call in by_call(commits) {
                whole(&format!("{}, killed after {cut} messages", row.title), &call);
            }
        }
    }
}

/// The verdict of one call does not depend on what other calls pass in between.
#[test]
fn calls_do_not_disturb_each_other() {
    let rows = rows();
    let alone: Vec<_> = rows.iter().map(|row| observe(Script::play(&row.script)).len()).collect();
    let mut mixed: Vec<Sighting> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let rename = |sighting: Sighting| {
            let text =
                String::from_utf8_lossy(&sighting.bytes).replace("Call-ID: ", &format!("Call-ID: {index}-"));
            let text = text.replace("h: c1;", &format!("h: {index}-c1;"));
            Sighting { bytes: text.into_bytes().into(), ..sighting }
        };
        mixed.extend(Script::play(&row.script).into_iter().map(rename));
    }
    mixed.sort_by_key(|sighting| sighting.at);
    assert_eq!(observe(mixed).len(), alone.iter().sum::<usize>());
}

/// A call of which a thousand messages pass costs no more than one is worth.
#[test]
fn a_long_call_has_a_short_record() {
    let mut script = String::from("A>B INVITE; B>A 200; A>B ACK");
    for _ in 0..3_000 {
        script.push_str("; +1s; A>B INFO tag=b; B>A 200 INFO");
    }
    script.push_str("; A>B BYE; B>A 200 BYE");
    let calls = observe(Script::play(&script));
    let events: usize = calls[0].iter().map(|stored| stored.commit.events.len()).sum();
    assert!(events <= 2_010, "{events} events");
    whole("a long call", &calls[0]);
    let verdict = why(calls[0].iter().map(|stored| &stored.commit)).unwrap().verdict;
    assert_eq!(verdict.cause, Cause::Hangup);
}

/// A message larger than a commit may be is known by its Call-ID alone.
#[test]
fn huge_messages_fit_a_commit() {
    let mut sightings = Script::play("A>B INVITE; B>A 180; B>A 200; A>B ACK");
    let mut huge = sightings[1].bytes.to_vec();
    huge.truncate(huge.len() - 2);
    for _ in 0..2_000 {
        huge.extend_from_slice(b"Warning: 399 h \"something or other\"\r\n");
    }
    huge.extend_from_slice(b"\r\n");
    sightings[1].bytes = huge.into();
    let calls = observe(sightings);
    assert_eq!(calls.len(), 1);
    whole("huge", &calls[0]);
}
