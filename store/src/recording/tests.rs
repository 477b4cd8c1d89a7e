//! Recordings: written, read back, damaged at every place.

use callbox_events::schema::StoredCommit;
use proptest::prelude::*;

use super::*;
use crate::error::ReadError;
use crate::journal::{Cursor, JournalReader};
use crate::memory::MemoryJournal;
use crate::testing::conformance::put;
use crate::testing::sample::{call, commit, offered, released};

/// Three calls that happen at once; the last one goes on.
fn journal() -> MemoryJournal {
    let journal = MemoryJournal::new();
    for number in 0..3 {
        put(&journal, offered(number));
    }
    for number in 0..3 {
        put(&journal, commit(number, 1, 2, 100));
    }
    for number in 0..2 {
        put(&journal, released(number, 3));
    }
    journal
}

fn all(reader: &dyn JournalReader) -> Vec<StoredCommit> {
    reader.read_all(Cursor::START).unwrap().collect::<Result<_, _>>().unwrap()
}

fn bytes(journal: &MemoryJournal, chosen: impl Fn(u64) -> bool) -> Vec<u8> {
    let header =
        Header { created_by: "a test".into(), watermark: journal.tail().unwrap().seq(), ..Header::default() };
    let mut writer = Writer::new(Vec::new(), &header).unwrap();
    for stored in
        all(journal).iter().filter(|stored| (0..3).any(|n| chosen(n) && call(n) == stored.commit.call))
    {
        writer.commit(stored, None).unwrap();
    }
    writer.section(&Section { name: "remark".into(), version: 7, bytes: b"signed".to_vec() }).unwrap();
    writer.finish().unwrap().0
}

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

#[test]
fn a_recording_answers_like_the_journal_it_was_made_from() {
    let journal = journal();
    let file = file(&bytes(&journal, |_| true));
    let recording = Recording::open(file.path()).unwrap();
    assert_eq!(recording.damages(), []);
    assert_eq!(recording.totals(), Totals { calls: 3, commits: 8, events: 13 });
    assert_eq!(all(&recording), all(&journal));
    assert_eq!(recording.tail(), journal.tail());
    assert_eq!(recording.latest(), journal.latest());
    for number in 0..4 {
        assert_eq!(recording.read(call(number)), journal.read(call(number)), "call {number}");
        assert_eq!(recording.head(call(number)), journal.head(call(number)), "call {number}");
    }
    let calls: Vec<_> = recording.calls().unwrap().map(Result::unwrap).collect();
    assert_eq!(calls, [call(0), call(1), call(2)]);
    let section = recording.section("remark").unwrap().unwrap();
    assert_eq!((section.version, section.bytes.as_slice()), (7, &b"signed"[..]));
    assert_eq!(recording.section("proofs"), Ok(None));
    assert!(verify(file.path(), &mut |_| {}).unwrap().is_sound());
}

#[test]
fn chosen_calls_keep_their_sequence_numbers_and_chains() {
    let journal = journal();
    let file = file(&bytes(&journal, |number| number == 1));
    let recording = Recording::open(file.path()).unwrap();
    assert_eq!(recording.read(call(1)), journal.read(call(1)));
    assert_eq!(recording.read(call(0)), Ok(Vec::new()));
    let seqs: Vec<u64> = all(&recording).iter().map(|stored| stored.seq).collect();
    assert_eq!(seqs, [1, 5, 11]);
    assert!(verify(file.path(), &mut |_| {}).unwrap().is_sound());
    assert_eq!(recording.read_all(Cursor::at(14)).err(), Some(ReadError::Beyond { wanted: 14, tail: 13 }));
}

#[test]
fn a_subscription_gives_everything_and_ends() {
    let journal = journal();
    let file = file(&bytes(&journal, |_| true));
    let recording = Recording::open(file.path()).unwrap();
    let mut subscription = recording.subscribe(Cursor::at(4)).unwrap();
    let mut given = Vec::new();
    while let crate::Next::Commit(stored) = subscription.next_timeout(std::time::Duration::ZERO).unwrap() {
        given.push(stored.seq);
    }
    let expected: Vec<u64> = all(&journal).iter().map(|s| s.seq).filter(|seq| *seq >= 3).collect();
    assert_eq!(given, expected);
}

#[test]
fn what_is_no_recording_or_a_newer_one_is_refused() {
    for text in [&b""[..], b"\x89CALLBOX", b"a pcap, perhaps, or a long letter"] {
        assert!(matches!(Recording::open(file(text).path()), Err(crate::OpenError::NotARecording { .. })));
    }
    let mut newer = bytes(&journal(), |_| true);
    newer[17] = 2;
    let newer = file(&newer);
    assert!(matches!(
        Recording::open(newer.path()),
        Err(crate::OpenError::Newer { found: 2, supported: 1, .. })
    ));
    assert!(is_recording(newer.path()));
    assert!(!is_recording(std::path::Path::new("absent")));
}

#[test]
fn a_forged_commit_is_found_by_the_chain() {
    let journal = journal();
    let mut writer = Writer::new(Vec::new(), &Header::default()).unwrap();
    for mut stored in all(&journal) {
        if stored.seq == 3 {
            stored.commit.node = "elsewhere".into();
        }
        writer.commit(&stored, None).unwrap();
    }
    let file = file(&writer.finish().unwrap().0);
    let recording = Recording::open(file.path()).unwrap();
    assert_eq!(recording.damages(), [], "every checksum fits");
    assert!(recording.read(call(0)).is_err());
    assert!(!verify(file.path(), &mut |_| {}).unwrap().is_sound());
}

#[test]
fn a_file_full_of_beginnings_ends() {
    let mut bytes = super::format::start().to_vec();
    // Each claims four megabytes that are there, and has the wrong checksum.
    let mut lure = super::format::MARKER.to_vec();
    lure.extend_from_slice(&[2, 0, 0, 0]);
    lure.extend_from_slice(&(super::format::MAX_BODY as u32).to_be_bytes());
    lure.extend_from_slice(&[0; 4]);
    bytes.extend(lure.repeat(700_000));
    let recording = Recording::open(file(&bytes).path()).unwrap();
    let told = &recording.damages()[0];
    assert_eq!((told.place.as_str(), all(&recording).len()), ("byte 24", 0));
    assert!(told.what.contains("too much is damaged"), "{}", told.what);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// One changed byte: it is told, and what it does not belong to is given as it was.
    #[test]
    fn any_changed_byte_is_told_and_harms_one_record(place in 24usize..4_000, change in 1u8..) {
        let journal = journal();
        let mut bytes = bytes(&journal, |_| true);
        let place = 24 + (place - 24) % (bytes.len() - 24);
        bytes[place] ^= change;
        let file = file(&bytes);
        let recording = Recording::open(file.path()).unwrap();
        prop_assert!(!recording.damages().is_empty());
        let report = verify(file.path(), &mut |_| ()).unwrap();
        prop_assert!(!report.is_sound());
        let (whole, left) = (all(&journal), all(&recording));
        prop_assert!(left.len() + 1 >= whole.len());
        prop_assert!(left.iter().all(|stored| whole.contains(stored)));
        let sound = (0..3).filter(|n| recording.read(call(*n)) == journal.read(call(*n))).count();
        prop_assert!(sound >= 2, "{} calls are whole", sound);
    }

    /// Cut off anywhere: what was written before is there.
    #[test]
    fn a_cut_off_recording_keeps_its_beginning(cut in 24usize..4_000) {
        let journal = journal();
        let mut bytes = bytes(&journal, |_| true);
        bytes.truncate(24 + (cut - 24) % (bytes.len() - 24));
        let recording = Recording::open(file(&bytes).path()).unwrap();
        prop_assert!(!recording.damages().is_empty());
        let (whole, left) = (all(&journal), all(&recording));
        prop_assert_eq!(&whole[..left.len()], &left[..]);
    }

    /// Any bytes behind the magic: no panic, no invented commit.
    #[test]
    fn no_bytes_harm_the_reader(tail in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let mut bytes = super::format::start().to_vec();
        bytes.extend(tail);
        let recording = Recording::open(file(&bytes).path()).unwrap();
        prop_assert_eq!(all(&recording).len(), 0);
    }
}
