//! `callbox erase`: destroys the key of one party's personal data.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use callbox_events::schema::sealed::Conceal;
use callbox_sip::redact::Concealer;
use callbox_store::erasable::erase::{EraseError, Erasure, Survey};
use callbox_store::erasable::receipt::Kept;
use callbox_store::proof::text::base64;
use serde_json::json;

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::render::style::{DIM, GOOD};
use crate::render::words::count;
use crate::{signing, source};

const EXAMPLES: &str = "\
Examples:
  callbox erase +49301234567 --store calls             asks, then erases whoever has this number
  callbox erase sip:alice@example.com --store calls --yes --json

Takes a store that was made erasable (`callboxd serve --erasable`). A running engine does it by itself, under a
checkpoint of its own. Afterwards the party is the same pseudonym in all its calls, and its numbers, names and
addresses are nowhere in the store; verdicts, other parties, `check`, `verify` and old proofs stay as they were.

It can't be undone. Out of reach are copies: exports, recordings, `verify --repair`, backups, snapshots of a file
system, and what an SSD or a copy-on-write file system keeps of a block that was overwritten.";

/// Erase one party's numbers, names and addresses from a store by destroying their key
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A telephone number or a SIP address, as it stands in From or To; `anonymous` for who did not say
    #[arg(value_name = "NUMBER-OR-URI")]
    party: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Private key that signs the receipt; a running engine signs with its own
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let identity = Concealer.identity(&args.party).map_err(|what| {
        Failure::new(ExitCode::Usage, "bad_party", what)
            .hint("give a number like +49301234567, or an address like sip:alice@example.com")
    })?;
    let key = args.signing_key.as_deref().map(signing::key).transpose()?;
    let erasure = Erasure::begin(source::dir(common)?)?;
    let party = erasure.find(&identity)?.ok_or_else(|| unknown(&args.party))?;
    let bar = Progress::events(0);
    let survey = erasure.survey(party, &mut |progress| bar.reached(progress.events, progress.of));
    drop(bar);
    let survey = survey?;
    if !survey.alive.is_empty() {
        return Err(alive(&survey));
    }
    if !args.yes && !confirmed(&survey)? {
        return Err(Failure::new(ExitCode::Failure, "not_confirmed", "nothing was erased"));
    }
    let kept = erasure.destroy(&survey, key.as_ref())?;
    if common.json {
        out.json(&document(&kept))?;
    } else {
        print(out, &kept)?;
    }
    Ok(ExitCode::Ok)
}

fn unknown(party: &str) -> Failure {
    Failure::new(ExitCode::NotFound, "party_not_found", format!("no call of the store has `{party}` in it"))
        .hint("give the number or the address as `callbox show` prints it; whoever was erased has no name any more")
}

fn alive(survey: &Survey) -> Failure {
    let calls: Vec<String> = survey.alive.iter().map(ToString::to_string).collect();
    let message =
        format!("{} of this party goes on", if calls.len() == 1 { "a call" } else { "more than one call" });
    Failure::new(ExitCode::Failure, "party_alive", message)
        .hint(format!("wait until it is released, or hang it up: {}", calls.join(", ")))
}

/// Asks whoever sits there.
fn confirmed(survey: &Survey) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(ExitCode::Usage, "not_confirmed", "nobody is there to be asked")
            .hint("--yes erases without asking"));
    }
    let (calls, commits) = (count(survey.calls, "call"), count(survey.commits, "commit"));
    let mut err = anstream::stderr().lock();
    write!(err, "Erase this party from {calls}, {commits}? It can't be undone. [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// What stands for a party whose key has this number.
fn pseudonyms(party: u32) -> [String; 2] {
    callbox_sip::redact::pseudonyms_of(party)
}

fn document(kept: &Kept) -> serde_json::Value {
    let receipt = &kept.receipt;
    json!({
        "erased": pseudonyms(receipt.party),
        "party": receipt.party,
        "time": receipt.time.to_string(),
        "calls": receipt.calls,
        "commits": receipt.commits,
        "destroyed": base64(&receipt.destroyed),
        "events": receipt.events,
        "checkpoint": receipt.checkpoint.map(|(size, root)| json!({"commits": size, "root": base64(&root)})),
        "signed": !kept.note.signatures().is_empty(),
        "receipt": kept.note.to_string(),
    })
}

fn print(out: &mut Output, kept: &Kept) -> std::io::Result<()> {
    let receipt = &kept.receipt;
    let [number, user] = pseudonyms(receipt.party);
    let (calls, commits) = (count(receipt.calls, "call"), count(receipt.commits, "commit"));
    writeln!(out, "{GOOD}erased{GOOD:#}  {user}, or the number {number}: {calls}, {commits}")?;
    writeln!(out, "\n{DIM}the receipt, kept in the file `erasures` of the store:{DIM:#}\n")?;
    write!(out, "{}", kept.note)
}

impl From<EraseError> for Failure {
    fn from(error: EraseError) -> Self {
        let message = error.to_string();
        match error {
            EraseError::Open(error) => error.into(),
            EraseError::Read(error) => error.into(),
            EraseError::NotErasable(_) => Self::new(ExitCode::Store, "not_erasable", message)
                .hint("`callboxd serve --erasable` makes a store erasable for what is recorded from then on"),
            EraseError::Gone(_) => Self::new(ExitCode::NotFound, "party_not_found", message),
            EraseError::Alive(_) => Self::new(ExitCode::Failure, "party_alive", message)
                .hint("wait until the call is released, or hang it up"),
            EraseError::Io { .. } => Self::new(ExitCode::Failure, "not_erased", message)
                .hint("check permissions and the disk, then erase again"),
        }
    }
}
