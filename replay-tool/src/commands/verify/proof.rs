//! Verifying a proof by itself, without any store.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use callbox_store::proof::audit::standing;
use callbox_store::proof::bundle::{Proof, Proven};
use callbox_store::proof::key::{PublicKey, Standing};
use callbox_store::verify::Damage;
use serde_json::json;

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::render;
use crate::render::style::BAD;

/// No proof is larger.
const MAX_PROOF: u64 = 1 << 30;

/// Verifies a proof by itself. Without a key it says what follows if the checkpoint is genuine.
pub fn run(path: &Path, keys: &[PublicKey], common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_PROOF).read_to_end(&mut bytes));
    read.map_err(|error| {
        Failure::new(
            ExitCode::NotFound,
            "file_not_read",
            format!("{} can't be read: {error}", path.display()),
        )
    })?;
    match Proof::parse(&bytes).and_then(|proof| proof.verify()) {
        Ok(proven) => proven_by(&proven, keys, common, out),
        Err(Damage { place, what }) if common.json => {
            out.json(&json!({"sound": false, "damage": {"place": place, "what": what}}))?;
            Ok(ExitCode::Finding)
        }
        Err(Damage { place, what }) => {
            writeln!(out, "{BAD}not proven{BAD:#}  {place}: {what}")?;
            Ok(ExitCode::Finding)
        }
    }
}

fn proven_by(
    proven: &Proven,
    keys: &[PublicKey],
    common: &Common,
    out: &mut Output,
) -> Result<ExitCode, Failure> {
    let signed = proven.checkpoints().into_iter().all(|entry| standing(entry, keys) == Standing::Signed);
    let sound = signed || keys.is_empty();
    if common.json {
        let (kind, what) = match proven {
            Proven::Call(call, _) => ("call", serde_json::to_value(call)?),
            Proven::Completeness(statement, _) => ("completeness", serde_json::to_value(statement)?),
            Proven::Consistency(older, newer) => (
                "consistency",
                json!({"older": older.checkpoint.tree.size, "newer": newer.checkpoint.tree.size}),
            ),
        };
        let notes: Vec<String> =
            proven.checkpoints().into_iter().map(|entry| entry.note.to_string()).collect();
        out.json(
            &json!({"sound": sound, "signed": signed, "kind": kind, "proven": what, "checkpoints": notes}),
        )?;
    } else {
        render::proof::proven(out, proven, keys)?;
    }
    Ok(if sound { ExitCode::Ok } else { ExitCode::Finding })
}
