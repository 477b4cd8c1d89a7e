//! What the tests of the command line share: journals with told calls, and the tool run over them.

pub mod personal;
pub mod stories;
pub mod story;
pub mod two_ends;

use std::path::Path;
use std::process::{Command, Output};

use callbox_events::schema::Commit;
use callbox_store::sled::{Options, SledJournal};
use callbox_store::testing::rerun::assert_decided_again;
use callbox_store::{Expect, Journal, reader};
use tempfile::TempDir;

/// A journal in a directory of its own.
pub struct Store {
    dir: TempDir,
}

impl Store {
    /// A store that holds these calls, one after the other, as the machine decides them.
    pub fn of(calls: impl IntoIterator<Item = Vec<Commit>>) -> Self {
        let store = Self::tampered(calls);
        assert_decided_again(reader::open(store.path()).unwrap().as_ref());
        store
    }

    /// The same with calls that no machine decided like this.
    pub fn tampered(calls: impl IntoIterator<Item = Vec<Commit>>) -> Self {
        let (store, journal) = Self::kept_open(calls);
        journal.close().unwrap();
        store
    }

    /// The same with its writer still there. What it has is sealed.
    pub fn kept_open(calls: impl IntoIterator<Item = Vec<Commit>>) -> (Self, SledJournal) {
        Self::with(Options::default(), calls)
    }

    /// The same with these options.
    pub fn with(options: Options, calls: impl IntoIterator<Item = Vec<Commit>>) -> (Self, SledJournal) {
        let dir = tempfile::tempdir().unwrap();
        let journal = SledJournal::open(dir.path(), options).unwrap();
        let append = |commit: Commit| {
            let expect = Expect::of(&commit);
            journal.append(commit, expect)
        };
        let appended: Vec<_> = calls.into_iter().flatten().map(append).collect();
        for append in appended {
            append.wait().unwrap();
        }
        journal.checkpoint();
        (Self { dir }, journal)
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs `callbox` on it.
    pub fn callbox(&self, args: &[&str]) -> Ran {
        let store = self.path().to_str().unwrap();
        callbox(&[args, &["--store", store]].concat()).hiding(store)
    }

    /// Locks it as a writer that answers nobody.
    pub fn held_by_another(&self) -> std::fs::File {
        let lock = std::fs::File::create(self.path().join("LOCK")).unwrap();
        lock.lock().unwrap();
        lock
    }

    /// Damages a byte in the midst of the write-ahead log.
    pub fn flip_a_bit(&self) {
        let file = self.path().join("wal").join(format!("{:020}", 0));
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(file, bytes).unwrap();
    }

    /// Removes the other copy, which sled holds.
    pub fn lose_sled(&self) {
        std::fs::remove_dir_all(self.path().join("log")).unwrap();
    }
}

/// What a run of the tool left.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same without a path that is another one on every run.
    pub fn hiding(mut self, path: &str) -> Self {
        for text in [&mut self.stdout, &mut self.stderr] {
            *text = text.replace(path, "STORE");
        }
        self
    }

    /// Standard output of a run that went well.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        assert_eq!(self.stderr, "");
        self.stdout
    }

    /// Everything, for a snapshot.
    pub fn all(&self) -> String {
        let Self { code, stdout, stderr } = self;
        format!("exit {code}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

/// Runs `callbox` in an environment that is the same everywhere.
pub fn callbox(args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callbox"));
    command.args(args).env_clear().env("COLUMNS", "100").env("LANG", "C.UTF-8");
    Ran::of(&command.output().unwrap())
}
