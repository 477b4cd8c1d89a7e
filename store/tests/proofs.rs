//! Proofs as documents: made of a journal, verified without it, refused once anything in them is changed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::ops::Range;
use std::sync::LazyLock;

use callbox_events::Timestamp;
use callbox_store::memory::MemoryJournal;
use callbox_store::proof::audit::standing;
use callbox_store::proof::bundle::{Proof, Proven};
use callbox_store::proof::entries::Entry;
use callbox_store::proof::key::{PublicKey, SigningKey, Standing};
use callbox_store::proof::leaf::Leaf;
use callbox_store::proof::sealer::Sealer;
use callbox_store::prove::{self, ProveError};
use callbox_store::testing::conformance::{all, put};
use callbox_store::testing::sample::{call, commit, offered, released};
use callbox_store::{Cursor, JournalReader};
use proptest::prelude::*;

fn key() -> SigningKey {
    SigningKey::from_seed("callbox.example/test", &[7; 32]).unwrap()
}

fn keys() -> Vec<PublicKey> {
    vec![key().public().clone()]
}

/// Calls that take turns: their first commits, then their second ones, then the ends of every other one.
fn journal(calls: u64) -> MemoryJournal {
    let journal = MemoryJournal::new();
    (0..calls).for_each(|number| _ = put(&journal, offered(number)));
    (0..calls).for_each(|number| _ = put(&journal, commit(number, 1, 3, 30)));
    (0..calls).step_by(2).for_each(|number| _ = put(&journal, released(number, 4)));
    journal
}

/// The checkpoint over the first so many commits.
fn sealed(journal: &MemoryJournal, commits: usize) -> Entry {
    let mut sealer = Sealer::default();
    for stored in all(journal, Cursor::START).iter().take(commits) {
        sealer.add(&Leaf::of(stored).unwrap());
    }
    sealer.checkpoint(Timestamp::from_micros(1_700_000_000_000_000), Vec::new(), Some(&key())).unwrap()
}

fn prove_call(journal: &MemoryJournal, number: u64, under: &Entry) -> Proof {
    prove::call(journal, call(number), under, &mut |_| {}).unwrap().into()
}

fn prove_stretch(journal: &MemoryJournal, events: Range<u64>, under: &Entry) -> Proof {
    prove::completeness(journal, &events, under, &mut |_| {}).unwrap().into()
}

fn prove_growth(journal: &MemoryJournal, older: &Entry, newer: &Entry) -> Proof {
    prove::consistency(journal, older, newer, &mut |_| {}).unwrap().into()
}

/// As somebody far away would: from the text, with the public key.
fn verified(document: &str) -> Result<Proven, String> {
    let flaw = |damage: callbox_store::verify::Damage| format!("{}: {}", damage.place, damage.what);
    let proven = Proof::parse(document.as_bytes()).and_then(|proof| proof.verify()).map_err(flaw)?;
    for entry in proven.checkpoints() {
        if standing(entry, &keys()) != Standing::Signed {
            return Err("not signed".into());
        }
    }
    Ok(proven)
}

#[test]
fn every_call_is_proven_as_far_as_the_checkpoint_reaches() {
    for calls in [1, 2, 3, 8, 13] {
        let journal = journal(calls);
        let count = all(&journal, Cursor::START).len();
        let newest = sealed(&journal, count);
        for number in 0..calls {
            let Ok(Proven::Call(proven, _)) =
                verified(&prove_call(&journal, number, &newest).to_json().unwrap())
            else {
                panic!("call {number} of {calls} is not proven")
            };
            let stored = journal.read(call(number)).unwrap();
            assert_eq!((proven.call_id, proven.commits), (call(number), stored.len() as u64));
            assert_eq!((proven.first_seq, proven.complete), (stored[0].seq, number % 2 == 0));
        }
        let early = sealed(&journal, calls as usize);
        let Ok(Proven::Call(proven, _)) = verified(&prove_call(&journal, 0, &early).to_json().unwrap())
        else {
            panic!("not proven")
        };
        assert_eq!((proven.commits, proven.events, proven.complete), (1, 1, false));
    }
}

#[test]
fn what_a_checkpoint_does_not_cover_is_not_proven() {
    let journal = journal(4);
    let early = sealed(&journal, 2);
    let error = prove::call(&journal, call(3), &early, &mut |_| {}).unwrap_err();
    assert!(matches!(error, ProveError::Uncovered { events: 2, .. }), "{error}");
    let error = prove::completeness(&journal, &(5..9), &early, &mut |_| {}).unwrap_err();
    assert!(matches!(error, ProveError::Uncovered { .. }), "{error}");
    let error = prove::consistency(&journal, &sealed(&journal, 5), &early, &mut |_| {}).unwrap_err();
    assert_eq!(error, ProveError::Order { older: 5, newer: 2 });
    let other = crate::journal(3);
    let error = prove::call(&other, call(0), &sealed(&journal, 8), &mut |_| {}).unwrap_err();
    assert_eq!(error, ProveError::Differs(8));
}

#[test]
fn every_stretch_is_proven_to_be_complete() {
    let journal = journal(3);
    let stored = all(&journal, Cursor::START);
    let events = journal.tail().unwrap().seq();
    let newest = sealed(&journal, stored.len());
    for first in 0..events {
        for end in first + 1..=events {
            let document = prove_stretch(&journal, first..end, &newest).to_json().unwrap();
            let Ok(Proven::Completeness(statement, _)) = verified(&document) else {
                panic!("{first} to {end} is not proven")
            };
            let within: Vec<_> = stored
                .iter()
                .filter(|stored| stored.seq < end && Cursor::after(stored).seq() > first)
                .collect();
            assert_eq!(statement.commits, within.len() as u64);
            assert_eq!(statement.first_seq, within[0].seq);
            assert_eq!(statement.last_seq + 1, Cursor::after(within[within.len() - 1]).seq());
        }
    }
}

#[test]
fn every_checkpoint_is_proven_to_go_on_from_every_older_one() {
    let journal = journal(3);
    let entries: Vec<Entry> = (0..=8).map(|commits| sealed(&journal, commits)).collect();
    for (older, entry) in entries.iter().enumerate() {
        for newer in &entries[older..] {
            verified(&prove_growth(&journal, entry, newer).to_json().unwrap()).unwrap();
        }
    }
    let fork = sealed(&crate::journal(6), 8);
    let forged = Proof::from(callbox_store::proof::bundle::ConsistencyProof {
        older: entries[7].note.to_string(),
        newer: fork.note.to_string(),
        path: Vec::new(),
    });
    let told = verified(&forged.to_json().unwrap()).unwrap_err();
    assert!(told.contains("history was written anew"), "{told}");
}

/// What somebody might do to a proof, and what is said of it.
#[test]
fn a_changed_proof_is_refused_with_the_place() {
    let journal = journal(6);
    let newest = sealed(&journal, 15);
    let Proof::Call(sound) = prove_call(&journal, 2, &newest) else { panic!("no proof of a call") };
    let edit = |change: &dyn Fn(&mut callbox_store::proof::bundle::CallProof)| {
        let mut proof = sound.clone();
        change(&mut proof);
        verified(&Proof::Call(proof).to_json().unwrap()).unwrap_err()
    };
    for (told, expected) in [
        (edit(&|proof| proof.commits[1].payload[40] ^= 1), "sequence"),
        (edit(&|proof| drop(proof.commits.remove(0))), "a commit of the call is missing before it"),
        (edit(&|proof| drop(proof.commits.remove(1))), "a commit of the call is missing before it"),
        (edit(&|proof| proof.commits.swap(0, 1)), "a commit of the call is missing before it"),
        (edit(&|proof| proof.commits[2].index += 1), "it does not lead to the checkpoint's root"),
        (edit(&|proof| proof.commits[2].seq += 1), "it does not lead to the checkpoint's root"),
        (edit(&|proof| proof.commits[1].path[0][0] ^= 1), "sequence 12: it does not lead to"),
        (edit(&|proof| proof.commits.clear()), "it has no commits"),
        (edit(&|proof| proof.call_id = call(3)), "it belongs to another call"),
        (
            edit(&|proof| proof.checkpoint = sealed(&crate::journal(7), 15).note.to_string()),
            "does not lead to",
        ),
        (edit(&|proof| proof.checkpoint = proof.checkpoint.replace("events", "Events")), "not signed"),
        (edit(&|proof| proof.checkpoint = "nothing".into()), "no blank line ends its text"),
    ] {
        assert!(told.contains(expected), "{told} / {expected}");
    }
    let Proof::Completeness(sound) = prove_stretch(&journal, 4..20, &newest) else { panic!("no stretch") };
    let edit = |change: &dyn Fn(&mut callbox_store::proof::bundle::CompletenessProof)| {
        let mut proof = sound.clone();
        change(&mut proof);
        verified(&Proof::Completeness(proof).to_json().unwrap()).unwrap_err()
    };
    for (told, expected) in [
        (edit(&|proof| _ = proof.leaves.remove(2)), "sequence 6: the commits do not join"),
        (edit(&|proof| _ = proof.leaves.pop()), "they do not lead to the checkpoint's root"),
        (edit(&|proof| proof.leaves[0].at = Timestamp::from_micros(9)), "they do not lead to"),
        (edit(&|proof| proof.statement.events += 1), "the statement: it says something else"),
        (edit(&|proof| proof.leaves.swap(0, 1)), "the commits do not join"),
        (edit(&|proof| proof.first_index += 1), "they do not lead to"),
    ] {
        assert!(told.contains(expected), "{told} / {expected}");
    }
}

#[test]
fn what_is_no_proof_is_refused_with_the_reason() {
    for (document, told) in [
        ("", "it is no proof of callbox"),
        ("{}", "it is no proof of callbox"),
        (r#"{"callbox_proof":2,"kind":"dream"}"#, "it has version 2; this callbox reads version 1"),
        (r#"{"callbox_proof":1,"kind":"dream"}"#, "it can't be read"),
        (r#"{"callbox_proof":1,"kind":"call"}"#, "it can't be read"),
    ] {
        let said = verified(document).unwrap_err();
        assert!(said.contains(told), "{document}: {said}");
    }
}

/// One proof of each kind, as text.
static DOCUMENTS: LazyLock<[String; 3]> = LazyLock::new(|| {
    let journal = journal(5);
    let (older, newer) = (sealed(&journal, 6), sealed(&journal, 13));
    let proofs = [
        prove_call(&journal, 2, &newer),
        prove_stretch(&journal, 3..12, &newer),
        prove_growth(&journal, &older, &newer),
    ];
    proofs.map(|proof| proof.to_json().unwrap())
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_change_of_a_character_leaves_a_proof_that_proves_something_else(
        which in 0..3usize,
        place: prop::sample::Index,
        by in "[ -~]",
    ) {
        let document = &DOCUMENTS[which];
        let place = place.index(document.len());
        prop_assume!(document.is_char_boundary(place) && document.is_char_boundary(place + 1));
        let mut changed = document.clone();
        changed.replace_range(place..=place, &by);
        if let Ok(proven) = verified(&changed) {
            prop_assert_eq!(proven, verified(document).unwrap(), "{}", changed);
        }
    }

    #[test]
    fn any_bytes_are_a_proof_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = Proof::parse(&bytes);
    }
}
