//! What was erased from a store, by its receipts.

use std::io::{self, Write};

use callbox_sip::redact::pseudonyms_of;
use callbox_store::erasable::Erasures;
use callbox_store::erasable::receipt::Kept;
use callbox_store::proof::key::PublicKey;
use callbox_store::proof::text::base64;
use serde_json::json;

use super::style::{DIM, GOOD};
use super::time::full;
use super::words::count;
use crate::output::Output;

/// How many parties a store has keys of, and each receipt; what is wrong with them stands among the damages.
pub fn erasures(out: &mut Output, erasures: &Erasures, keys: &[PublicKey]) -> io::Result<()> {
    let parties =
        if erasures.parties == 1 { "1 party".into() } else { format!("{} parties", erasures.parties) };
    writeln!(out, "erasable  {parties}, {} erased", erasures.erased)?;
    for Kept { receipt, note } in &erasures.receipts {
        let [number, user] = pseudonyms_of(receipt.party);
        let (calls, commits) = (count(receipt.calls, "call"), count(receipt.commits, "commit"));
        let signed = match (note.signatures().is_empty(), keys.is_empty()) {
            (true, _) => "nobody signed it",
            (false, true) => "its signature was not looked at: that takes --public-key",
            (false, false) => "signed",
        };
        writeln!(
            out,
            "{GOOD}erased{GOOD:#}  {user}, {number}: {calls}, {commits}, {} {DIM}({signed}){DIM:#}",
            full(receipt.time)
        )?;
    }
    Ok(())
}

/// The same for programs.
pub fn document(erasures: &Erasures) -> serde_json::Value {
    let receipt = |kept: &Kept| {
        let receipt = &kept.receipt;
        json!({
            "party": receipt.party,
            "erased": pseudonyms_of(receipt.party),
            "time": receipt.time.to_string(),
            "calls": receipt.calls,
            "commits": receipt.commits,
            "destroyed": base64(&receipt.destroyed),
            "events": receipt.events,
        })
    };
    json!({
        "parties": erasures.parties,
        "erased": erasures.erased,
        "signed": erasures.signed,
        "receipts": erasures.receipts.iter().map(receipt).collect::<Vec<_>>(),
    })
}
