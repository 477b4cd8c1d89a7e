//! `callbox import`: calls from a file into a store.

use std::path::PathBuf;

use callbox_store::recording::is_recording;

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::{import, source};

const EXAMPLES: &str = "\
Examples:
  callbox import case.recording --store journal      takes the calls of a recording into a store

Importing the same file again changes nothing. The store is made if it does not exist; no engine may hold it.
Exits with 1 if the store has another record of one of the calls; that call is left as it is.";

/// Import the calls of a portable recording into a store
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The file
    file: PathBuf,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    if !args.file.exists() {
        let message = format!("there is no file at {}", args.file.display());
        return Err(Failure::new(ExitCode::NotFound, "file_not_found", message).hint("check the path"));
    }
    if !is_recording(&args.file) {
        let message = format!("{} is nothing that can be imported", args.file.display());
        return Err(Failure::new(ExitCode::Usage, "unknown_format", message)
            .hint("recordings can: `callbox export --format recording` makes them"));
    }
    import::recording::run(&args.file, source::dir(common)?, common, out)
}
