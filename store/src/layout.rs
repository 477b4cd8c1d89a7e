//! The files of a store directory, and the one that says what it is.
//!
//! | name | content |
//! |---|---|
//! | `FORMAT` | text: what this directory is and which version of the format it has |
//! | `LOCK` | locked by the process that writes; its number as text |
//! | `WATERMARK` | how far the journal was acknowledged (see [`watermark`](crate::watermark)) |
//! | `wal/…` | segments of the write-ahead log, each named by the first global sequence number in it |
//! | `log/…` | the volumes' sled directories and facts, each named by the first global sequence number in it |
//! | `checkpoints` | signed notes over the journal, one after another (see [`proof`](crate::proof)) |
//! | `FRONTIER` | the tree of the newest checkpoint, to go on from; may be missing |
//! | `keys` | the keys of the parties of an erasable store (see [`erasable`](crate::erasable)) |
//! | `erasures` | receipts of what was erased, one after another |
//! | `PRUNED` | where the journal begins after its oldest volumes were removed, and the tree over them |
//! | `HOLDS` | which calls must stay, whatever their age; one JSON object a line |
//! | `held/…` | held calls of volumes that were removed, a portable recording for each volume |
//! | `aside/…` | copies of a log that could not be opened, made before the repair |
//! | `live.sock` or `live.sock.path` | the socket of the process that writes, or the place of it |

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::open_error::OpenError;
use crate::retention::pruned::Pruned;

/// The format that this build writes.
pub const FORMAT_VERSION: u16 = 3;

/// The format before it: one volume. It is read as it is, and becomes the newer one when it is opened for writing.
pub const SINGLE_VOLUME: u16 = 2;

/// The file that says what the directory is.
pub const FORMAT: &str = "FORMAT";
/// The lock file.
pub const LOCK: &str = "LOCK";
/// The watermark.
pub const WATERMARK: &str = "WATERMARK";
/// The directory of the write-ahead log's segments.
pub const WAL: &str = "wal";
/// The file of checkpoints.
pub const CHECKPOINTS: &str = "checkpoints";
/// The right edge of the tree under the newest checkpoint.
pub const FRONTIER: &str = "FRONTIER";
/// The keys of the parties of an erasable store.
pub const KEYS: &str = "keys";
/// The receipts of erasures.
pub const ERASURES: &str = "erasures";
/// What was removed from the beginning.
pub const PRUNED: &str = "PRUNED";
/// The directory of calls that outlived their volumes.
pub const HELD: &str = "held";
/// What must not be removed.
pub const HOLDS: &str = "HOLDS";
/// The directory of sled directories.
pub const LOG: &str = "log";
/// The directory of copies.
pub const ASIDE: &str = "aside";
/// The socket.
pub const SOCKET: &str = "live.sock";
/// The file that names the socket if its path is too long.
pub const SOCKET_PATH: &str = "live.sock.path";

/// The sled directory whose first commit has this global sequence number.
#[must_use]
pub fn log_dir(store: &Path, first: u64) -> PathBuf {
    store.join(LOG).join(format!("{first:020}"))
}

/// The file of a volume's facts.
#[must_use]
pub fn facts_file(store: &Path, first: u64) -> PathBuf {
    store.join(LOG).join(format!("{first:020}.facts"))
}

/// What in a directory is named by a global sequence number of 20 digits, in order; nothing if it is not there.
pub(crate) fn numbered(dir: &Path) -> io::Result<Vec<u64>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let digits = name.to_str().filter(|name| name.len() == 20);
        found.extend(digits.and_then(|name| name.parse::<u64>().ok()));
    }
    found.sort_unstable();
    Ok(found)
}

/// Where the journal begins: 0 unless older volumes were removed. Where that can't be read, the oldest file says it.
pub(crate) fn begin(store: &Path) -> io::Result<u64> {
    match Pruned::read(store) {
        Ok(pruned) => Ok(pruned.map_or(0, |pruned| pruned.cut.events)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            let oldest = |name| Ok::<_, io::Error>(numbered(&store.join(name))?.first().copied());
            Ok(oldest(LOG)?.into_iter().chain(oldest(WAL)?).min().unwrap_or(0))
        }
        Err(error) => Err(error),
    }
}

/// Puts a file with this content in the place of another one, whole or not at all. The directory is not synced.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// Checks that the directory is a store which this build can read; returns its format.
///
/// # Errors
/// [`OpenError::Missing`], [`OpenError::NotAStore`], [`OpenError::Newer`], [`OpenError::Corrupt`].
pub fn check(store: &Path) -> Result<u16, OpenError> {
    if !store.is_dir() {
        return Err(OpenError::Missing { dir: store.to_owned() });
    }
    let path = store.join(FORMAT);
    let text = match fs::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(OpenError::NotAStore { dir: store.to_owned(), why: "it has no file FORMAT".into() });
        }
        Err(error) => return Err(OpenError::io("reading", &path)(error)),
    };
    let version = text.lines().find_map(|line| line.strip_prefix("format ")?.trim().parse::<u16>().ok());
    match version {
        Some(found @ (SINGLE_VOLUME | FORMAT_VERSION)) => Ok(found),
        Some(found) if found > FORMAT_VERSION => {
            Err(OpenError::Newer { dir: store.to_owned(), found, supported: FORMAT_VERSION })
        }
        Some(1) => Err(OpenError::NotAStore {
            dir: store.to_owned(),
            why: "format 1 was written by development builds only and was never released".into(),
        }),
        Some(_) | None => Err(OpenError::Corrupt {
            dir: store.to_owned(),
            place: FORMAT.into(),
            what: "it does not name a format version".into(),
        }),
    }
}

/// Makes the directory a store of this format, unless it is one already. One of the format before becomes one.
///
/// # Errors
/// Those of [`check`]; [`OpenError::NotAStore`] for a directory that holds other things; [`OpenError::Io`].
pub fn create(store: &Path) -> Result<(), OpenError> {
    fs::create_dir_all(store).map_err(OpenError::io("creating", store))?;
    if !store.join(FORMAT).exists() {
        refuse_foreign(store)?;
        sync_names_above(store);
        write_format(store)?;
    }
    if check(store)? != FORMAT_VERSION {
        tracing::info!("the store has an older format; from now on an older callbox can't read it any more");
        write_format(store)?;
    }
    Ok(())
}

/// Makes the name of the store durable, and those of the directories above it: they may have been made a moment ago, by
/// us or by somebody who was killed. Those that can't be opened are not ours, so they were there before.
fn sync_names_above(store: &Path) {
    let path = fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
    for dir in path.ancestors().skip(1) {
        if let Err(error) = sync_dir(dir) {
            tracing::debug!(%error, dir = %dir.display(), "a directory above the store can't be synced");
        }
    }
}

/// The names that an interrupted creation may have left, and the keys that a repair brings along.
pub(crate) fn refuse_foreign(store: &Path) -> Result<(), OpenError> {
    for entry in fs::read_dir(store).map_err(OpenError::io("listing", store))? {
        let name = entry.map_err(OpenError::io("listing", store))?.file_name();
        let name = name.to_string_lossy();
        if name != LOCK && name != "FORMAT.new" && name != KEYS && name != ERASURES {
            let why = format!("it has no file FORMAT, but holds {name:?}");
            return Err(OpenError::NotAStore { dir: store.to_owned(), why });
        }
    }
    Ok(())
}

fn write_format(store: &Path) -> Result<(), OpenError> {
    let text = format!(
        "callbox journal\nformat {FORMAT_VERSION}\n\nRead it with `callbox --store DIR list`. Don't change files here.\n"
    );
    let path = store.join(FORMAT);
    let written = replace(&path, text.as_bytes()).and_then(|()| sync_dir(store));
    written.map_err(OpenError::io("writing", &path))
}

/// Makes the names in a directory durable.
///
/// # Errors
/// The system's.
pub fn sync_dir(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}
