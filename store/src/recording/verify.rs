//! Looking at every byte of a recording: checksums, order, chains, index, digest, proofs.

use std::io;
use std::path::Path;

use callbox_events::schema::StoredCommit;
use sha2::{Digest, Sha256};

use super::format::{self, Kind};
use super::read::{Recording, stored_in};
use super::vouch::Vouching;
use super::walk::Record;
use crate::error::ReadError;
use crate::frame::Facts;
use crate::journal::JournalReader;
use crate::open_error::OpenError;
use crate::proof::key::PublicKey;
use crate::proof::leaf::Leaf;
use crate::verify::{Chains, Damage, Progress, Report};

/// Checks a recording. Of a redacted one, the chains are those over the redacted commits.
///
/// # Errors
/// [`OpenError`] if it is no recording that this build reads. Damage is no error but part of the report.
pub fn verify(path: impl AsRef<Path>, progress: &mut dyn FnMut(Progress)) -> Result<Report, OpenError> {
    verify_with(path, &[], progress)
}

/// The same for somebody with public keys: one of them must have signed the checkpoint, and the commits must lead to it.
/// What the report says of checkpoints is about the commits of the recording.
///
/// # Errors
/// As above.
pub fn verify_with(
    path: impl AsRef<Path>,
    keys: &[PublicKey],
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, OpenError> {
    let recording = Recording::open(path)?;
    let mut report = Report::default();
    recording.damages().iter().cloned().for_each(|damage| report.add(damage));
    if let Err(error) = walk(&recording, keys, &mut report, progress) {
        report.add(error);
    }
    if report.is_sound()
        && let Err(error) = through_the_index(&recording, &mut report)
    {
        report.add(error);
    }
    Ok(report)
}

fn walk(
    recording: &Recording,
    keys: &[PublicKey],
    report: &mut Report,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), ReadError> {
    let mut vouching = Vouching::new(recording, keys, report)?;
    let shared = recording.shared();
    let of = recording.totals().events;
    let mut chains = Chains::default();
    let mut digest = Sha256::new();
    digest.update(format::start());
    let mut next = 0;
    for item in shared.tape.walk(0) {
        // Damage was counted when the file was opened.
        let Ok(record) = item.map_err(unavailable)? else { continue };
        if record.head.kind == Some(Kind::End) {
            end(&record, digest.clone(), report);
        } else if let Some(stored) = stored_in(&record) {
            match stored {
                Ok(stored) if stored.seq < next => {
                    let what = format!("it stands behind sequence {}", next.saturating_sub(1));
                    report.add(ReadError::at_seq(stored.seq, what));
                }
                Ok(stored) => {
                    next = crate::journal::Cursor::after(&stored).seq();
                    follow(&stored, &mut chains, report);
                    Leaf::of(&stored).iter().for_each(|leaf| vouching.add(leaf));
                    report.tell(report.events, of, progress);
                }
                Err(error) => report.add(error),
            }
        }
        digest.update(record.head.bytes);
        digest.update(&record.body);
    }
    vouching.finish(report);
    progress(Progress { events: report.events, of });
    Ok(())
}

fn unavailable(error: io::Error) -> ReadError {
    ReadError::Unavailable { why: error.to_string() }
}

fn follow(stored: &StoredCommit, chains: &mut Chains, report: &mut Report) {
    match (stored.payload(), Facts::of(&stored.commit)) {
        (Ok(payload), Some(facts)) => chains.follow(stored.seq, &facts, &stored.hash, &payload, report),
        (_, _) => report.add(ReadError::at_seq(stored.seq, "it can't be encoded again")),
    }
}

fn end(record: &Record, digest: Sha256, report: &mut Report) {
    let told = record.body.last_chunk::<32>();
    if report.is_sound() && told.map(|told| &told[..]) != Some(digest.finalize().as_slice()) {
        let what = "the digest of all bytes does not fit: something was removed or put in";
        report.add(Damage { place: "the whole".into(), what: what.into() });
    }
}

/// Every call read through the index.
fn through_the_index(recording: &Recording, report: &mut Report) -> Result<(), ReadError> {
    let mut found = 0;
    for call in recording.calls()? {
        found += recording.read(call?)?.len() as u64;
    }
    if found != report.commits {
        let what = format!("it leads to {found} commits, but {} are here", report.commits);
        report.add(Damage { place: "the index".into(), what });
    }
    Ok(())
}
