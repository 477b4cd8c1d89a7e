//! The callbox engine as a daemon.
//!
//! - `serve` runs the engine behind SIP listeners and the HTTP control API.
//! - `demo` plays every way a call can end between two engines on this machine and explains each.

mod cli;
mod demo;
mod failure;
mod hep;
mod http;
mod logging;
mod options;
mod serve;
mod settings;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use failure::Failure;

/// Calls are short-lived and many, and their values are freed on another thread than the one that made them: the system's
/// allocator took a quarter of the engine's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Demo(options) => {
            logging::start("warn");
            demo::run(options.store)
        }
        Command::Serve(serve) => {
            logging::start("info");
            use_small_pages();
            let file = serve.config.as_deref().map(options::Options::read).transpose()?;
            let settings = settings::Settings::try_from(serve.options.over(file.unwrap_or_default()))?;
            serve::run(settings)
        }
    }
}

/// Memory in pages of 4 KiB: a transparent huge page is cleared whole for the first small value in it, and comes back only
/// when the last one is gone, long after the load.
fn use_small_pages() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "huge pages stay on");
    }
}
