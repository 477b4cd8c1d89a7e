//! The command line: what may be typed, and how an answer or a failure leaves the process.

use std::io::Write;
use std::path::PathBuf;

use clap::{ColorChoice, Parser, Subcommand};

use crate::commands;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  callbox list --store journal               every call, one a line
  callbox why latest --store journal         who ended the newest call, how and why
  callbox ladder 3f2a --store journal        its messages and events as a sequence chart
  callbox list --cause declined --since 2h   calls that were declined in the last two hours
  callbox tail --url http://127.0.0.1:8080   a running engine's events as they happen

CALL is our id of a call, a unique prefix of it, a SIP Call-ID, or `latest`.
Exit codes: 0 ok, 1 a finding, 2 usage, 3 not found, 4 store unusable, 5 other failure.";

/// Who ended each call, how and why: reads the journal of a callbox engine.
#[derive(Debug, Parser)]
#[command(name = "callbox", version, about, after_help = EXAMPLES, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Common {
    /// The journal directory; a running engine's too [env: CALLBOX_STORE]
    #[arg(long, value_name = "DIR", global = true)]
    pub store: Option<PathBuf>,
    /// A running callboxd, in the place of a store: http://HOST:PORT
    #[arg(long, value_name = "URL", global = true)]
    pub url: Option<String>,
    /// File whose first line is the token that the callboxd wants
    #[arg(long, value_name = "FILE", env = "CALLBOX_URL_TOKEN_FILE", global = true)]
    pub url_token_file: Option<PathBuf>,
    /// A portable recording, in the place of a store
    #[arg(long, value_name = "FILE", global = true)]
    pub recording: Option<PathBuf>,
    /// Print JSON: one document, or one a line for lists
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true, hide_possible_values = true)]
    pub color: ColorChoice,
}

impl Common {
    /// With `CALLBOX_STORE` where nothing is named: what is typed wins over what was set before.
    fn or_environment(self) -> Self {
        if self.store.is_some() || self.url.is_some() || self.recording.is_some() {
            return self;
        }
        let store = std::env::var_os("CALLBOX_STORE").filter(|dir| !dir.is_empty());
        Self { store: store.map(PathBuf::from), ..self }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    List(commands::list::Args),
    Show(commands::show::Args),
    Why(commands::why::Args),
    Ladder(commands::ladder::Args),
    Step(commands::step::Args),
    Check(commands::check::Args),
    Diff(commands::diff::Args),
    WhatIf(commands::what_if::Args),
    Join(commands::join::Args),
    Rejudge(commands::rejudge::Args),
    Verify(commands::verify::Args),
    Prove(commands::prove::Args),
    Beats(commands::beats::Args),
    Key(commands::key::Args),
    Hold(commands::hold::Args),
    Prune(commands::prune::Args),
    Export(commands::export::Args),
    Import(commands::import::Args),
    Erase(commands::erase::Args),
    Stats(commands::stats::Args),
    Tail(commands::tail::Args),
}

/// Runs what was typed.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => Cli { common: cli.common.or_environment(), ..cli },
        Err(error) => return not_understood(&error),
    };
    color(cli.common.color);
    let mut out = Output::stdout();
    let result = run(&cli, &mut out).and_then(|code| out.flush().map(|()| code).map_err(Failure::from));
    match result {
        Ok(code) => code,
        Err(failure) => {
            // What was found before the failure is still worth showing.
            let _ = out.flush();
            tell(&failure, cli.common.json)
        }
    }
}

fn run(cli: &Cli, out: &mut Output) -> Result<ExitCode, Failure> {
    let common = &cli.common;
    match &cli.command {
        Command::List(args) => commands::list::run(args, common, out),
        Command::Show(args) => commands::show::run(args, common, out),
        Command::Why(args) => commands::why::run(args, common, out),
        Command::Ladder(args) => commands::ladder::run(args, common, out),
        Command::Step(args) => commands::step::run(args, common, out),
        Command::Check(args) => commands::check::run(args, common, out),
        Command::Diff(args) => commands::diff::run(args, common, out),
        Command::WhatIf(args) => commands::what_if::run(args, common, out),
        Command::Join(args) => commands::join::run(args, common, out),
        Command::Rejudge(args) => commands::rejudge::run(args, common, out),
        Command::Verify(args) => commands::verify::run(args, common, out),
        Command::Prove(args) => commands::prove::run(args, common, out),
        Command::Beats(args) => commands::beats::run(args, common, out),
        Command::Key(args) => commands::key::run(args, common, out),
        Command::Hold(args) => commands::hold::run(args, common, out),
        Command::Prune(args) => commands::prune::run(args, common, out),
        Command::Export(args) => commands::export::run(args, common, out),
        Command::Import(args) => commands::import::run(args, common, out),
        Command::Erase(args) => commands::erase::run(args, common, out),
        Command::Stats(args) => commands::stats::run(args, common, out),
        Command::Tail(args) => commands::tail::run(args, common, out),
    }
}

fn color(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// Help and version are answers; the rest is a usage error. The flags could not be read, so `--json` is looked for.
fn not_understood(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return match error.print() {
            Ok(()) => ExitCode::Ok,
            Err(broken) => tell(&broken.into(), false),
        };
    }
    if std::env::args_os().any(|arg| arg == "--json") {
        let text = error.render().to_string();
        let mut paragraphs = text.trim().splitn(2, "\n\n");
        let message = paragraphs.next().unwrap_or_default().trim_start_matches("error: ");
        let failure = Failure::new(ExitCode::Usage, "usage", message);
        return tell(&failure.hint(paragraphs.next().unwrap_or("try --help").trim()), true);
    }
    // Nobody is left to tell if this fails.
    let _ = error.print();
    ExitCode::Usage
}

fn tell(failure: &Failure, json: bool) -> ExitCode {
    if failure.is_broken_pipe() {
        return ExitCode::Ok;
    }
    let mut err = anstream::stderr().lock();
    // Nobody is left to tell if this fails.
    let _ =
        if json { writeln!(err, "{}", failure.json()) } else { crate::render::failure(&mut err, failure) };
    failure.exit
}
