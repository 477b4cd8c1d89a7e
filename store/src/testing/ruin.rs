//! Bytes that change behind a store's back, and what is read of it afterwards.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use callbox_events::schema;
use tempfile::TempDir;

use crate::journal::{Cursor, JournalReader};

/// Where files go about which nothing has to last: in memory, where possible.
#[must_use]
pub fn scratch() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

/// A copy of a directory, to be damaged; sockets are left out.
#[must_use]
pub fn copy_of(dir: &Path) -> TempDir {
    let copy = tempfile::tempdir_in(scratch()).unwrap();
    copy_dir(dir, copy.path());
    copy
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else if entry.path().is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every file of a directory, by its path in there, in order.
#[must_use]
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let name = PathBuf::from(entry.file_name());
        if entry.path().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|file| name.join(file)));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

/// Flips one bit of a byte.
pub fn flip(file: &Path, place: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[place] ^= 0x40;
    fs::write(file, bytes).unwrap();
}

/// Cuts a file off.
pub fn truncate(file: &Path, length: u64) {
    File::options().write(true).open(file).unwrap().set_len(length).unwrap();
}

/// Everything in global order, encoded; or the first error.
///
/// # Errors
/// As text.
pub fn contents(reader: &dyn JournalReader) -> Result<Vec<Vec<u8>>, String> {
    let commits = reader.read_all(Cursor::START).map_err(|error| error.to_string())?;
    commits
        .map(|stored| stored.map(|stored| schema::encode(&stored.commit).unwrap()).map_err(|e| e.to_string()))
        .collect()
}

/// The number of commits, read call by call.
///
/// # Errors
/// As text.
pub fn by_call(reader: &dyn JournalReader) -> Result<usize, String> {
    let calls = reader.calls().map_err(|error| error.to_string())?;
    let commits = calls.map(|call| reader.read(call.map_err(|e| e.to_string())?).map_err(|e| e.to_string()));
    commits.map(|commits| commits.map(|commits| commits.len())).sum()
}
