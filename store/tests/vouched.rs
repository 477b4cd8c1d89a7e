//! Recordings that prove against their author: a signed checkpoint and what was left out, verified offline with the public
//! key; anything that is changed, left out or put in is seen.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use callbox_events::schema::StoredCommit;
use callbox_events::{CallId, Timestamp};
use callbox_store::memory::MemoryJournal;
use callbox_store::proof::entries::Entry;
use callbox_store::proof::key::{PublicKey, SigningKey};
use callbox_store::proof::leaf::Leaf;
use callbox_store::proof::sealer::Sealer;
use callbox_store::prove::ProveError;
use callbox_store::recording::proofs::{self, Prover};
use callbox_store::recording::{self, Header, Redaction, Section, Writer};
use callbox_store::testing::conformance::{all, put};
use callbox_store::testing::ruin::scratch;
use callbox_store::testing::sample::{call, commit, offered, released};
use callbox_store::verify::Report;
use callbox_store::{Cursor, chain};
use proptest::prelude::*;

fn key() -> SigningKey {
    SigningKey::from_seed("callbox.example/test", &[7; 32]).unwrap()
}

/// Calls that take turns, three commits each.
fn journal(calls: u64) -> Vec<StoredCommit> {
    let journal = MemoryJournal::new();
    (0..calls).for_each(|number| _ = put(&journal, offered(number)));
    (0..calls).for_each(|number| _ = put(&journal, commit(number, 1, 2, 30)));
    (0..calls).for_each(|number| _ = put(&journal, released(number, 3)));
    all(&journal, Cursor::START)
}

/// The checkpoint over the first so many commits.
fn sealed(journal: &[StoredCommit], commits: usize, key: Option<&SigningKey>) -> Entry {
    let mut sealer = Sealer::default();
    journal.iter().take(commits).for_each(|stored| sealer.add(&Leaf::of(stored).unwrap()));
    sealer.checkpoint(Timestamp::from_micros(1_700_000_000_000_000), Vec::new(), key).unwrap()
}

fn sections(journal: &[StoredCommit], under: &Entry, keep: &dyn Fn(CallId) -> bool) -> Vec<Section> {
    let mut prover = Prover::new(under.clone(), None);
    let add = |stored: &StoredCommit| prover.add(&Leaf::of(stored).unwrap(), keep(stored.commit.call));
    let mut sections: Vec<Section> = journal.iter().filter_map(add).collect();
    sections.extend(prover.finish().unwrap());
    sections
}

/// A recording of these commits with these sections, as somebody who may write files makes it.
fn written(commits: &[StoredCommit], sections: &[Section], header: &Header) -> tempfile::NamedTempFile {
    let mut writer = Writer::new(Vec::new(), header).unwrap();
    // Between the commits, as an export does it.
    let (before, after) = sections.split_at(sections.len() / 2);
    before.iter().for_each(|section| writer.section(section).unwrap());
    commits.iter().for_each(|stored| writer.commit(stored, None).unwrap());
    after.iter().for_each(|section| writer.section(section).unwrap());
    let file = tempfile::NamedTempFile::new_in(scratch()).unwrap();
    std::fs::write(file.path(), writer.finish().unwrap().0).unwrap();
    file
}

fn audited(file: &tempfile::NamedTempFile, keys: &[PublicKey]) -> Report {
    recording::verify_with(file.path(), keys, &mut |_| {}).unwrap()
}

fn with_key(commits: &[StoredCommit], sections: &[Section]) -> Report {
    audited(&written(commits, sections, &Header::default()), &[key().public().clone()])
}

fn told(report: &Report) -> String {
    report.damages.iter().map(|damage| format!("{}: {}\n", damage.place, damage.what)).collect()
}

#[test]
fn whichever_calls_are_chosen_the_checkpoint_vouches_for_all_that_it_covers() {
    let calls = 5;
    let journal = journal(calls);
    for mask in 0..1_u64 << calls {
        let chosen = |id: CallId| (0..calls).any(|number| mask >> number & 1 == 1 && call(number) == id);
        let kept: Vec<StoredCommit> =
            journal.iter().filter(|stored| chosen(stored.commit.call)).cloned().collect();
        for size in 0..=journal.len() {
            let sections = sections(&journal, &sealed(&journal, size, Some(&key())), &chosen);
            let report = with_key(&kept, &sections);
            assert_eq!(told(&report), "", "calls {mask:b} under {size} commits");
            let covered = journal.iter().take(size).filter(|stored| chosen(stored.commit.call)).count();
            assert_eq!(report.seals.vouched.unwrap().commits, covered as u64);
            assert_eq!((report.seals.checkpoints, report.seals.signed), (1, 1));
        }
    }
}

#[test]
fn proofs_of_many_holes_are_cut_into_sections() {
    let journal = journal(2_000);
    let chosen = |id: CallId| id.as_bytes()[15].is_multiple_of(3);
    let kept: Vec<StoredCommit> =
        journal.iter().filter(|stored| chosen(stored.commit.call)).cloned().collect();
    let sections = sections(&journal, &sealed(&journal, journal.len(), Some(&key())), &chosen);
    assert!(sections.len() > 2 && sections.iter().all(|section| section.bytes.len() < 1 << 17));
    let report = with_key(&kept, &sections);
    assert_eq!((told(&report).as_str(), report.seals.vouched.unwrap().commits), ("", kept.len() as u64));
}

/// Everything that its author may do to a recording so that it is sound by itself.
#[test]
fn what_is_changed_left_out_or_put_in_is_seen() {
    let journal = journal(6);
    let chosen = |id: CallId| id == call(1) || id == call(4);
    let kept: Vec<StoredCommit> =
        journal.iter().filter(|stored| chosen(stored.commit.call)).cloned().collect();
    let under = sealed(&journal, journal.len(), Some(&key()));
    let sound = sections(&journal, &under, &chosen);
    assert_eq!(told(&with_key(&kept, &sound)), "");

    let mut later = kept.clone();
    later[5].commit.at = Timestamp::from_micros(9);
    relink(&mut later);
    let mut shorter = kept.clone();
    shorter.pop();
    let without: Vec<StoredCommit> =
        kept.iter().filter(|stored| stored.commit.call == call(1)).cloned().collect();
    let more: Vec<StoredCommit> = journal
        .iter()
        .filter(|stored| chosen(stored.commit.call) || stored.commit.call == call(2))
        .cloned()
        .collect();
    for (commits, what) in
        [(&later, "changed"), (&shorter, "end left out"), (&without, "call left out"), (&more, "put in")]
    {
        let report = with_key(commits, &sound);
        assert!(told(&report).starts_with("the proofs: "), "{what}: {}", told(&report));
        assert_eq!(report.seals.vouched, None, "{what}");
        // Without the proofs nobody could tell.
        assert_eq!(told(&audited(&written(commits, &[], &Header::default()), &[])), "", "{what}");
    }
}

/// The chains anew, as they follow from the commits.
fn relink(commits: &mut [StoredCommit]) {
    let mut links = std::collections::HashMap::new();
    for stored in commits {
        let link = links.entry(stored.commit.call).or_insert(chain::START);
        *link = chain::link(link, &callbox_events::schema::encode(&stored.commit).unwrap());
        stored.hash = *link;
    }
}

#[test]
fn who_signed_is_looked_at() {
    let journal = journal(3);
    let everything = |_| true;
    let stranger = SigningKey::from_seed("callbox.example/test", &[8; 32]).unwrap();
    let by = |key: Option<&SigningKey>| sections(&journal, &sealed(&journal, 9, key), &everything);
    for (sections, expected) in [
        (by(Some(&key())), ""),
        (by(Some(&stranger)), "the checkpoint: it is not signed by callbox.example/test\n"),
        (by(None), "the checkpoint: it is not signed by callbox.example/test\n"),
        (Vec::new(), "the checkpoint: there is none, so nothing in here is vouched for\n"),
    ] {
        let report = with_key(&journal, &sections);
        assert_eq!(told(&report), expected);
        assert_eq!(report.seals.vouched.is_some(), expected.is_empty());
        // To somebody without a key the proofs still say that all of it is from one journal.
        let report = audited(&written(&journal, &sections, &Header::default()), &[]);
        assert_eq!((told(&report).as_str(), report.seals.covered.is_some()), ("", !sections.is_empty()));
    }
    let mut forged = by(Some(&key()));
    let note = forged.last_mut().unwrap();
    note.bytes =
        String::from_utf8(note.bytes.clone()).unwrap().replace("events 15", "events 16").into_bytes();
    assert!(told(&with_key(&journal, &forged)).contains("its signature does not fit"));
    note_of_the_future(&journal, by(Some(&key())));
}

fn note_of_the_future(journal: &[StoredCommit], mut sections: Vec<Section>) {
    sections.last_mut().unwrap().version = 2;
    assert!(told(&with_key(journal, &sections)).contains("it has version 2; this callbox reads 1"));
    sections.last_mut().unwrap().version = 1;
    sections[0].version = 2;
    assert!(told(&with_key(journal, &sections)).contains("they have version 2; this callbox reads 1"));
}

#[test]
fn of_a_redacted_recording_the_signature_alone_is_looked_at() {
    let journal = journal(3);
    let redaction = Redaction { level: "all".into(), stable: false, commitment: "salted".into() };
    let header = Header { redacted: Some(redaction), ..Header::default() };
    let under = sealed(&journal, 9, Some(&key()));
    let mut redacted = journal.clone();
    redacted[0].commit.node = "somewhere".into();
    relink(&mut redacted);
    let file = written(&redacted, &[proofs::checkpoint(&under)], &header);
    let report = audited(&file, &[key().public().clone()]);
    assert_eq!((told(&report).as_str(), report.seals.signed, report.seals.vouched), ("", 1, None));
    let unsigned = written(&redacted, &[proofs::checkpoint(&sealed(&journal, 9, None))], &header);
    assert!(told(&audited(&unsigned, &[key().public().clone()])).contains("not signed"));
}

#[test]
fn nothing_is_proven_of_another_journal() {
    let (journal, other) = (journal(4), journal(5));
    let mut prover = Prover::new(sealed(&other, 15, Some(&key())), None);
    journal.iter().for_each(|stored| assert!(prover.add(&Leaf::of(stored).unwrap(), true).is_none()));
    assert_eq!(prover.finish().unwrap_err(), ProveError::Differs(15));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_changed_byte_of_the_proofs_leaves_them_proving_something_else(
        place in any::<prop::sample::Index>(),
        by in 1..=255_u8,
        cut in any::<bool>(),
    ) {
        let journal = journal(6);
        let chosen = |id: CallId| id == call(2) || id == call(5);
        let kept: Vec<StoredCommit> =
            journal.iter().filter(|stored| chosen(stored.commit.call)).cloned().collect();
        let mut sections = sections(&journal, &sealed(&journal, 17, Some(&key())), &chosen);
        let proofs = &mut sections[0].bytes;
        let place = place.index(proofs.len());
        if cut {
            proofs.truncate(place);
        } else {
            proofs[place] ^= by;
        }
        let report = with_key(&kept, &sections);
        prop_assert_eq!(report.seals.vouched, None);
        prop_assert!(!report.is_sound());
    }

    #[test]
    fn any_bytes_are_proofs_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let journal = journal(2);
        let mut sections = sections(&journal, &sealed(&journal, 6, Some(&key())), &|_| true);
        sections[0].bytes = bytes;
        prop_assert!(!with_key(&journal, &sections).is_sound());
    }
}
