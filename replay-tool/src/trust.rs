//! What an auditor brings along: public keys, and checkpoints that were kept elsewhere.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use callbox_store::proof::entries::{Entries, Entry};
use callbox_store::proof::key::PublicKey;
use callbox_store::proof::note::MAX_NOTE_BYTES;

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// The most bytes of a file of keys.
const MAX_KEY_FILE: u64 = 64 * 1024;

/// The keys that count.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Trust {
    /// Public key that checkpoints are signed with, or a file of such keys, one a line (repeatable)
    #[arg(long, value_name = "KEY|FILE")]
    public_key: Vec<String>,
}

impl Trust {
    /// The keys, read.
    pub fn keys(&self) -> Result<Vec<PublicKey>, Failure> {
        let mut keys = Vec::new();
        for given in &self.public_key {
            match PublicKey::parse(given) {
                Ok(key) => keys.push(key),
                Err(_) if Path::new(given).is_file() => keys.extend(key_file(Path::new(given))?),
                Err(error) => {
                    let message = format!("`{given}` is neither a file nor a public key: {error}");
                    return Err(Failure::new(ExitCode::Usage, "bad_key", message).hint(HINT));
                }
            }
        }
        Ok(keys)
    }
}

const HINT: &str =
    "`callbox key new` makes a key and prints its public half, `callbox key show FILE` prints it again";

fn key_file(path: &Path) -> Result<Vec<PublicKey>, Failure> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_KEY_FILE).read_to_string(&mut text));
    read.map_err(|error| unreadable(path, &error))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys = lines.map(PublicKey::parse).collect::<Result<Vec<_>, _>>().map_err(|error| {
        let message = format!("{} holds no public key: {error}", path.display());
        Failure::new(ExitCode::Usage, "bad_key", message).hint(HINT)
    })?;
    if keys.is_empty() {
        let message = format!("{} holds no public key", path.display());
        return Err(Failure::new(ExitCode::Usage, "bad_key", message).hint(HINT));
    }
    Ok(keys)
}

/// The checkpoints in these files: a copy of a store's file `checkpoints`, or single notes.
pub fn checkpoints(paths: &[PathBuf]) -> Result<Vec<Entry>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        found.extend(checkpoint_file(path)?);
    }
    Ok(found)
}

fn checkpoint_file(path: &Path) -> Result<Vec<Entry>, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let length = file.metadata().map_or(0, |meta| meta.len());
    // A single note need not have the empty line behind it that the store's file has.
    if length <= MAX_NOTE_BYTES as u64
        && let Ok(text) = fs::read_to_string(path)
        && let Ok(entry) = Entry::parse(&text)
    {
        return Ok(vec![entry]);
    }
    Entries::of(BufReader::new(file)).collect::<Result<_, _>>().map_err(|error| {
        let message = format!("{} holds no checkpoints: {error}", path.display());
        Failure::new(ExitCode::Usage, "bad_checkpoint", message)
            .hint("a checkpoint is a signed note, as in the file `checkpoints` of a store")
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(ExitCode::NotFound, "file_not_read", format!("{} can't be read: {error}", path.display()))
}
