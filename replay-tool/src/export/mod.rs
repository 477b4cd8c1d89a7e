//! Exports: calls in the formats of other programs.
//!
//! An export is one or two walks over the journal in bounded memory. Formats about calls ([`CallSink`]) are given each
//! call whole, with its summary and verdict; formats about messages and commits ([`CommitSink`]) are given the commits of
//! the chosen calls in the order of the journal, after a first walk that chose. Personal data is replaced before any
//! format sees it ([`crate::redact`]).
//!
//! - [`selection`] chooses, [`run`] walks, [`destination`] is where the bytes go.
//! - [`columns`] is the one list of columns that [`csv`] and [`parquet`] share.
//! - One module each: [`jsonl`], [`csv`], [`parquet`], [`vcon`], [`clf`], [`tsdk`], [`pcap`], [`recording`].

pub mod call;
pub mod clf;
pub mod columns;
pub mod csv;
pub mod destination;
pub mod endpoints;
pub mod jsonl;
pub mod parquet;
pub mod pcap;
pub mod recording;
pub mod run;
pub mod selection;
pub mod tsdk;
pub mod vcon;

use std::path::Path;

use callbox_events::schema::StoredCommit;

use crate::failure::Failure;
use call::Call;

/// What calls can be exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// JSON Lines: a call a line, as in `list --json`, with its verdict.
    Jsonl,
    /// RFC 4180, a call a line.
    Csv,
    /// Apache Parquet, a call a row.
    Parquet,
    /// IETF vCon, a JSON document a call.
    Vcon,
    /// SIP Common Log Format (RFC 6873), a record a SIP message.
    Clf,
    /// Event ids, reason codes and states of the vendor SDK, as JSON Lines.
    Tsdk,
    /// A capture file with the recorded SIP messages.
    Pcap,
    /// A portable recording that `callbox --recording` reads.
    Recording,
}

impl Format {
    /// The format that a file's name asks for.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let endings = [
            (".jsonl", Self::Jsonl),
            (".ndjson", Self::Jsonl),
            (".csv", Self::Csv),
            (".parquet", Self::Parquet),
            (".vcon", Self::Vcon),
            (".vcon.jsonl", Self::Vcon),
            (".clf", Self::Clf),
            (".pcap", Self::Pcap),
            (".recording", Self::Recording),
        ];
        endings.into_iter().rev().find(|(ending, _)| name.ends_with(ending)).map(|(_, format)| format)
    }

    /// Whether it is bytes that would upset a terminal.
    pub fn is_binary(self) -> bool {
        match self {
            Self::Parquet | Self::Pcap | Self::Recording => true,
            Self::Jsonl | Self::Csv | Self::Vcon | Self::Clf | Self::Tsdk => false,
        }
    }
}

/// A format about calls.
pub trait CallSink {
    /// Takes one call.
    fn call(&mut self, call: &Call) -> Result<(), Failure>;

    /// Completes the export. Without it, a file is not put in place.
    fn finish(self: Box<Self>) -> Result<(), Failure>;
}

/// A format about messages and commits.
pub trait CommitSink {
    /// Takes one commit, with a commitment to the original if it was redacted. They come in the order of the journal.
    fn commit(&mut self, stored: &StoredCommit, commitment: Option<[u8; 32]>) -> Result<(), Failure>;

    /// Is told of every commit of the journal as it is stored, before it is given those that were chosen.
    fn met(&mut self, stored: &StoredCommit, chosen: bool) -> Result<(), Failure> {
        let _ = (stored, chosen);
        Ok(())
    }

    /// Completes the export. Without it, a file is not put in place.
    fn finish(self: Box<Self>) -> Result<(), Failure>;
}

/// Where the calls of an export end up.
pub enum Sink {
    /// A format about calls.
    Calls(Box<dyn CallSink>),
    /// A format about messages and commits.
    Commits(Box<dyn CommitSink>),
}

impl Sink {
    /// Completes the export.
    pub fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Calls(sink) => sink.finish(),
            Self::Commits(sink) => sink.finish(),
        }
    }
}
