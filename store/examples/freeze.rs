//! Makes what `tests/frozen.rs` keeps for ever: `freeze INTO STORE...` writes the commits of these stores, as this build
//! writes a store, into `INTO/closed`, `INTO/killed` and `INTO/newer-schema`, with all that a store can have: several
//! segments and volumes, several openings, checkpoints with and without a signature, beats, and a young end that never reached sled.
//!
//! Run it once for each version of the format, before its release, over calls of our own making.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a program for those who build callbox")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Weak};
use std::time::Duration;

use callbox_events::schema::Commit;
use callbox_store::frame::{self, Facts};
use callbox_store::proof::beat::{Liveness, Presence};
use callbox_store::proof::key::SigningKey;
use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::conformance::put;
use callbox_store::testing::sample;
use callbox_store::wal::pack::Packer;
use callbox_store::{Cursor, Journal, chain, reader, wal};

fn main() {
    let mut args = std::env::args().skip(1);
    let into = args.next().expect("where to make the stores");
    let into = Path::new(&into);
    let mut commits: Vec<Commit> = args.flat_map(|store| all(Path::new(&store))).collect();
    commits.sort_by_key(|commit| commit.at);
    let (closed, killed) = (into.join("closed"), into.join("killed"));
    let [first, second, third, last] = quarters(&commits);
    write(&closed, first, Options { signing_key: None, ..small() });
    write(&closed, second, Options { signing_key: None, ..small() });
    write(&closed, third, small());
    let (sink_bytes, sink_delay, volume_bytes) = (usize::MAX / 2, Duration::MAX, u64::MAX);
    let lazy = Options { sink_bytes, sink_delay, volume_bytes, ..small() };
    let journal = write(&closed, last, lazy);
    copy(&closed, &killed);
    journal.close().unwrap();
    drop(journal);
    copy(&closed, &into.join("newer-schema"));
    append_newer(&into.join("newer-schema"));
    let key = key().public().to_string();
    println!("{} commits; the key that vouches: {key}", commits.len());
}

fn all(store: &Path) -> Vec<Commit> {
    let reader = reader::open(store).unwrap();
    reader.read_all(Cursor::START).unwrap().map(|stored| stored.unwrap().commit).collect()
}

fn quarters(commits: &[Commit]) -> [&[Commit]; 4] {
    let quarter = commits.len() / 4;
    let mut parts = commits.chunks(quarter.max(1));
    let mut next = || parts.next().unwrap_or_default();
    [next(), next(), next(), &commits[(3 * quarter).min(commits.len())..]]
}

fn key() -> SigningKey {
    SigningKey::from_seed("callbox.example/frozen", &[2; 32]).unwrap()
}

/// Small segments and volumes, and checkpoints only when asked for.
fn small() -> Options {
    Options {
        segment_bytes: 12 * 1024,
        volume_bytes: 30 * 1024,
        signing_key: Some(Arc::new(key())),
        checkpoint_interval: Duration::ZERO,
        ..Options::default()
    }
}

struct Listener;

impl Liveness for Listener {
    fn presence(&self) -> Presence {
        let listening = vec!["udp:192.0.2.1:5060".into()];
        Presence { node: "frozen".into(), listening, received: 20, sent: 10 }
    }
}

/// One opening of the store, with a checkpoint now and then.
fn write(store: &Path, commits: &[Commit], options: Options) -> SledJournal {
    let journal = SledJournal::open(store, options).unwrap();
    let listener: Arc<dyn Liveness> = Arc::new(Listener);
    journal.attend(Arc::downgrade(&listener) as Weak<dyn Liveness>);
    for (number, commit) in commits.iter().enumerate() {
        put(&journal, commit.clone());
        if number % 15 == 14 {
            journal.checkpoint();
        }
    }
    journal
}

/// As a killed engine leaves it, if the journal is open: its sockets are not copied.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
    for name in ["LOCK", "live.sock", "live.sock.path"] {
        let _ = fs::remove_file(to.join(name));
    }
}

/// What a later callbox with another schema would have written behind the end of a closed store.
fn append_newer(store: &Path) {
    let reader = reader::open(store).unwrap();
    let seq = reader.tail().unwrap().seq();
    let commit = sample::offered(1);
    let mut payload = callbox_events::schema::encode(&commit).unwrap();
    payload[..2].copy_from_slice(&99_u16.to_be_bytes());
    let link = chain::link(&chain::START, &payload);
    let (mut frames, mut record) = (Vec::new(), Vec::new());
    frame::write(&mut frames, seq, &Facts::of(&commit).unwrap(), &link, &payload);
    wal::record::write(&mut Packer::default(), seq, 1, &frames, &mut record);
    let segment = wal::path(store, *wal::segments(store).unwrap().last().unwrap());
    let mut bytes = fs::read(&segment).unwrap();
    bytes.extend_from_slice(&record);
    fs::write(segment, bytes).unwrap();
}
