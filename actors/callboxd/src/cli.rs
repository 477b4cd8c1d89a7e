//! The command line.

use std::path::PathBuf;

use crate::options::Options;

/// The callbox engine as a service: places, takes and ends SIP calls and records why each one ended.
#[derive(Debug, clap::Parser)]
#[command(name = "callboxd", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What callboxd can do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Play every way a call can end between two engines on this machine, and explain each
    Demo(Demo),
    /// Run the engine
    Serve(Box<Serve>),
}

/// `callboxd demo`.
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// Directory of the journal; without it a new temporary directory, which is named and kept
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
}

/// `callboxd serve`.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// TOML file with the same options, such as `answer-after = 0`; flags override it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    #[command(flatten)]
    #[allow(missing_docs, reason = "the options are documented at Options")]
    pub options: Options,
}
