//! `callbox key`: keys for signing checkpoints.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use callbox_store::proof::key::SigningKey;
use serde_json::json;

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::signing;

const EXAMPLES: &str = "\
Examples:
  callbox key new -o callbox.key --name callbox.example.com/node1
  callboxd serve --store calls --signing-key callbox.key ...
  callbox verify --store calls --public-key callbox.key.pub

The private key signs; keep it where only the engine reads it. The public key goes to whoever
verifies, by a way that who has the journal can't change.";

/// Make a key that signs checkpoints, or show the public half of one
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Action {
    /// Make a key: FILE gets the private half, FILE.pub the public one, which is also printed
    New {
        /// Where the private key goes; must not exist
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// The key's name and the origin of its checkpoints: unique, like a host name with a path; without spaces and
        /// plus signs [default: callbox/ and some digits]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// Print the public half of a private key
    Show {
        /// The private key
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let key = match &args.action {
        Action::New { output, name } => make(output, name.as_deref())?,
        Action::Show { file } => signing::key(file)?,
    };
    let public = key.public();
    if common.json {
        out.json(&json!({"name": public.name(), "public_key": public.to_string()}))?;
    } else {
        writeln!(out, "{public}")?;
    }
    Ok(ExitCode::Ok)
}

fn make(path: &Path, name: Option<&str>) -> Result<SigningKey, Failure> {
    let seed: [u8; 32] = random()?;
    let digits: [u8; 4] = random()?;
    let name = name.map_or_else(|| format!("callbox/{:08x}", u32::from_be_bytes(digits)), str::to_owned);
    let key = SigningKey::from_seed(&name, &seed).map_err(|error| {
        Failure::new(ExitCode::Usage, "bad_name", format!("no key can be named `{name}`: {error}"))
    })?;
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    let public = PathBuf::from(public);
    if public.exists() {
        return Err(exists(&public));
    }
    write(path, 0o600, &key.to_private_text())?;
    write(&public, 0o644, &key.public().to_string())?;
    Ok(key)
}

fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(ExitCode::Failure, "no_randomness", format!("the system gives no randomness: {error}"))
    })?;
    Ok(bytes)
}

/// Never over an existing file: a key that is lost is lost.
fn write(path: &Path, mode: u32, text: &str) -> Result<(), Failure> {
    let file = File::options().write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(format!("{text}\n").as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => Failure::new(
            ExitCode::Failure,
            "file_not_written",
            format!("{} can't be written: {error}", path.display()),
        ),
    })
}

fn exists(path: &Path) -> Failure {
    Failure::new(ExitCode::Failure, "file_exists", format!("{} exists", path.display()))
        .hint("a key is never overwritten: choose another name, or move it away")
}
