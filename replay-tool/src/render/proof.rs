//! What a proof proves, and what checkpoints are worth, in words.

use std::io::{self, Write};

use callbox_store::proof::audit::{Seals, standing};
use callbox_store::proof::bundle::{Proven, ProvenCall, Statement};
use callbox_store::proof::entries::Entry;
use callbox_store::proof::key::{PublicKey, Standing};
use callbox_store::proof::text::base64;
use callbox_store::verify::Report;

use super::style::{BAD, DIM, GOOD, WARN};
use super::time::full;
use super::words::count;
use crate::output::Output;

/// What is proven, under which checkpoints, and who signed those. Without keys nothing is said of signatures.
pub fn proven(out: &mut Output, proven: &Proven, keys: &[PublicKey]) -> io::Result<()> {
    match proven {
        Proven::Call(call, _) => of_call(out, call)?,
        Proven::Completeness(statement, _) => of_stretch(out, statement)?,
        Proven::Consistency(older, newer) => {
            let (old, new) = (older.checkpoint.tree.size, newer.checkpoint.tree.size);
            writeln!(
                out,
                "{GOOD}proven{GOOD:#}  the journal of {} goes on from that of {old}",
                count(new, "commit")
            )?;
        }
    }
    proven.checkpoints().into_iter().try_for_each(|entry| checkpoint(out, entry, keys))
}

fn of_call(out: &mut Output, call: &ProvenCall) -> io::Result<()> {
    let ProvenCall { call_id, commits, events, first_seq, last_seq, from, until, complete } = call;
    let (commits, events) = (count(*commits, "commit"), count(*events, "event"));
    let end =
        if *complete { "the whole record" } else { "the record so far: the call is not released in it" };
    writeln!(out, "{GOOD}proven{GOOD:#}  call {call_id}: {commits}, {events}, {end}")?;
    let (from, until) = (full(*from), full(*until));
    writeln!(out, "        {DIM}sequence {first_seq} to {last_seq}, {from} to {until}{DIM:#}")
}

fn of_stretch(out: &mut Output, statement: &Statement) -> io::Result<()> {
    let Statement { first_seq, last_seq, events, commits, calls, from, until, .. } = statement;
    let (calls, commits) = (count(*calls, "call"), count(*commits, "commit"));
    let events = count(*events, "event");
    writeln!(out, "{GOOD}proven{GOOD:#}  these are all: {calls}, {commits}, {events}")?;
    let (from, until) = (full(*from), full(*until));
    writeln!(out, "        {DIM}sequence {first_seq} to {last_seq}, recorded {from} to {until}{DIM:#}")
}

fn checkpoint(out: &mut Output, entry: &Entry, keys: &[PublicKey]) -> io::Result<()> {
    let checkpoint = &entry.checkpoint;
    let time = checkpoint.extension.time.map(|time| format!(" of {}", full(time))).unwrap_or_default();
    let (size, root) = (count(checkpoint.tree.size, "commit"), base64(&checkpoint.tree.root));
    writeln!(out, "under   the checkpoint{time} over {size} {DIM}root {root}{DIM:#}")?;
    let origin = &checkpoint.origin;
    match standing(entry, keys) {
        Standing::Signed => writeln!(out, "        {GOOD}signed{GOOD:#} by {origin}"),
        Standing::Forged => {
            writeln!(out, "        {BAD}forged{BAD:#}: the signature of {origin} does not fit")
        }
        Standing::Unsigned if entry.note.signatures().is_empty() => {
            writeln!(out, "        {WARN}nobody signed it{WARN:#}")
        }
        Standing::Unsigned if keys.is_empty() => {
            writeln!(out, "        {DIM}its signature was not looked at: that takes --public-key{DIM:#}")
        }
        Standing::Unsigned => writeln!(out, "        {BAD}not signed{BAD:#} with a key that was given"),
    }
}

/// What the checkpoints of a store are worth; what is wrong with them stands among the damages.
pub fn seals(out: &mut Output, seals: &Seals, keys: &[PublicKey]) -> io::Result<()> {
    let Seals { checkpoints, signed, unsigned, elsewhere, covered, vouched, cut, before, pruned } = seals;
    if *elsewhere > 0 {
        writeln!(out, "compared with {} kept elsewhere", count(*elsewhere, "checkpoint"))?;
    }
    if *cut {
        writeln!(
            out,
            "{WARN}cut off{WARN:#}  a checkpoint was being written; the next opening makes it again"
        )?;
    }
    if let Some(pruned) = pruned {
        let (commits, until) = (count(pruned.commits, "commit"), full(pruned.until));
        writeln!(
            out,
            "pruned  the oldest {commits}, up to {until}; {} {DIM}cover only them{DIM:#}",
            count(*before, "checkpoint")
        )?;
    }
    let kept = count(*checkpoints, "checkpoint");
    let Some(covered) = covered else {
        return writeln!(out, "{WARN}not sealed{WARN:#}  no checkpoint covers anything yet");
    };
    if let Some(vouched) = vouched {
        let (commits, events) = (count(vouched.commits, "commit"), count(vouched.events, "event"));
        let (time, names) = (full(vouched.time), names(keys));
        return writeln!(
            out,
            "{GOOD}signed{GOOD:#}  {commits}, {events} up to {time} by {names} {DIM}({signed} of {kept}){DIM:#}"
        );
    }
    let (commits, events) = (count(covered.commits, "commit"), count(covered.events, "event"));
    let signature = if unsigned == checkpoints {
        "nobody signed them"
    } else {
        "signatures were not looked at: that takes --public-key"
    };
    writeln!(out, "sealed  {commits}, {events} by {kept}; {signature}")
}

/// What the checkpoint in a recording is worth for the commits of that recording; what is wrong with it stands among the
/// damages.
pub fn recorded(out: &mut Output, report: &Report, keys: &[PublicKey]) -> io::Result<()> {
    let seals = &report.seals;
    if !report.is_sound() {
        return Ok(());
    }
    if seals.checkpoints == 0 {
        return writeln!(
            out,
            "{DIM}there is no checkpoint in it: nothing is proven against its author{DIM:#}"
        );
    }
    let signature = match (seals.signed, seals.unsigned) {
        (1.., _) => format!("{GOOD}signed{GOOD:#} by {}", names(keys)),
        (0, 1..) => format!("{WARN}nobody signed it{WARN:#}"),
        (0, 0) => "its signature was not looked at: that takes --public-key".to_owned(),
    };
    let Some(covered) = &seals.covered else {
        return writeln!(
            out,
            "under   a checkpoint of the original journal, to which redacted commits can't lead; {signature}"
        );
    };
    let (commits, events) = (count(covered.commits, "commit"), count(covered.events, "event"));
    let time = full(covered.time);
    writeln!(
        out,
        "{GOOD}proven{GOOD:#}  {commits}, {events} stand in the journal of the checkpoint of {time}"
    )?;
    writeln!(out, "        {signature}")
}

fn names(keys: &[PublicKey]) -> String {
    keys.iter().map(PublicKey::name).collect::<Vec<_>>().join(", ")
}
