//! Logs: to stderr, filtered by RUST_LOG.
//!
//! Nothing above debug names a person: no numbers, no names, no URIs (house rule; calls are named by their ids).

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// What the HTTP library says of itself is of no use to anybody below this.
const QUIET: &str = "actix_server=warn,actix_http=warn";

/// Starts logging at `default` unless RUST_LOG says otherwise.
pub fn start(default: &str) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(format!("{default},{QUIET}")));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    if logs.try_init().is_err() {
        eprintln!("callboxd: logging was started twice");
    }
}
