//! `callbox export`: calls in the formats of other programs.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use callbox_store::JournalReader;
use callbox_store::proof::entries::Entry;
use callbox_store::recording::{Header, Redaction};
use serde_json::json;

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::export::clf::Clf;
use crate::export::columns::COLUMNS;
use crate::export::csv::Csv;
use crate::export::destination::Destination;
use crate::export::jsonl::Jsonl;
use crate::export::parquet::Parquet;
use crate::export::pcap::Pcap;
use crate::export::recording::Recording;
use crate::export::selection::Selection;
use crate::export::tsdk::Tsdk;
use crate::export::vcon::{Circumstances, Place, Signer, Vcon};
use crate::export::{Format, Sink, run as walk};
use crate::failure::Failure;
use crate::filter::Filter;
use crate::output::Output;
use crate::redact::key::{self, COMMITMENT};
use crate::redact::{Level, Redactor};
use crate::render::words::count;
use crate::{source, when};

const EXAMPLES: &str = "\
Examples:
  callbox export --format csv --since 1d -o today.csv          a table for a spreadsheet
  callbox export -o calls.parquet                              the same for DuckDB and pandas
  callbox export latest -o call.pcap                           its messages, for Wireshark
  callbox export --number 4930 -o case.recording               everything about these calls in one file
  callbox why latest --recording case.recording                and read there
  callbox export --format vcon --sign-key key.pem -o vcons/    a signed vCon for each call
  callbox export --format jsonl --redact numbers | jq .cause   without telephone numbers

Formats:
  jsonl      a call a line: `list --json` and the verdict; --events adds all that is recorded
  csv        RFC 4180; a text that a spreadsheet would run as a formula gets an apostrophe in front
  parquet    typed columns; the same as in csv (--columns lists them)
  vcon       IETF vCon, a document a line, or a file each if -o names a directory; signed with --sign-key
  clf        SIP Common Log Format (RFC 6873), a record a SIP message
  tsdk       event ids, reason codes and states of the vendor SDK, as JSON Lines
  pcap       a capture with the recorded SIP messages
  recording  whole records with their proofs, to be read by --recording anywhere";

/// Export calls: JSON Lines, CSV, Parquet, vCon, SIP CLF, tsdk, pcap, or a portable recording
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The calls; all that pass the filters if none is named
    calls: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    /// The format; by default the one that the name of the file asks for
    #[arg(long, value_name = "FORMAT", help_heading = "What and where to", hide_possible_values = true)]
    format: Option<Format>,
    /// Write to this file, which appears whole or not at all; by default to standard output
    #[arg(short, long, value_name = "FILE", help_heading = "What and where to")]
    output: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long, help_heading = "What and where to")]
    force: bool,
    /// jsonl, vcon: the recorded events as well
    #[arg(long, help_heading = "What and where to")]
    events: bool,
    /// List the columns of csv and parquet, and export nothing
    #[arg(long, help_heading = "What and where to")]
    columns: bool,
    /// vcon: sign with this Ed25519 key (PEM)
    #[arg(long, value_name = "FILE", help_heading = "What and where to")]
    sign_key: Option<PathBuf>,
    /// vcon: the key's certificates (PEM)
    #[arg(long, value_name = "FILE", requires = "sign_key", help_heading = "What and where to")]
    sign_cert: Option<PathBuf>,
    /// Replace personal data by pseudonyms: none, numbers, all (names, hosts and addresses too)
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "none",
        hide_possible_values = true,
        help_heading = "Privacy"
    )]
    redact: Level,
    /// Make the same pseudonyms in every export that has this secret; otherwise they are good for this one only
    #[arg(long, value_name = "FILE", help_heading = "Privacy")]
    redact_key: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    if args.columns {
        return columns(common, out);
    }
    let format = args.wanted_format()?;
    args.check(format)?;
    let redactor = args.redactor()?;
    let reader = source::open(common)?;
    let selection = Selection::new(reader.as_ref(), &args.calls, &args.filter)?;
    let mut sink = args.sink(format, common, reader.as_ref(), redactor.as_ref())?;
    let calls = walk::run(reader.as_ref(), &selection, redactor.as_ref(), &mut sink)?;
    if calls == 0 {
        return Err(nothing(reader.as_ref(), &selection));
    }
    sink.finish()?;
    if redactor.is_some() && args.redact_key.is_none() {
        let note =
            "note: the pseudonyms are good for this export only; with --redact-key FILE others get the same";
        writeln!(anstream::stderr(), "{note}")?;
    }
    if let Some(path) = &args.output {
        conclude(common, out, calls, path)?;
    }
    Ok(ExitCode::Ok)
}

/// The newest checkpoint of the store; none of a store that has made none yet, or of a recording.
fn newest_checkpoint(common: &Common) -> Result<Option<Entry>, Failure> {
    if common.recording.is_some() {
        return Ok(None);
    }
    let kept = source::checkpoints(common)?;
    // What is being written beside us is not there yet; what is damaged proves nothing.
    Ok(kept.filter_map(Result::ok).last())
}

fn conclude(common: &Common, out: &mut Output, calls: u64, path: &Path) -> Result<(), Failure> {
    if common.json {
        return out.json(&json!({"calls": calls, "output": path}));
    }
    Ok(writeln!(out, "exported {} to {}", count(calls, "call"), path.display())?)
}

/// Nothing is written then, not even a header.
fn nothing(reader: &dyn JournalReader, selection: &Selection<'_>) -> Failure {
    let is_empty = reader.tail().is_ok_and(|tail| tail.seq() == 0);
    if is_empty || selection.is_all() {
        return Failure::new(ExitCode::NotFound, "no_calls", "there are no calls to export")
            .hint("place one, or name another store");
    }
    Failure::new(ExitCode::NotFound, "no_calls", "no call passes the filters")
        .hint("`callbox list` with the same filters shows what they let through")
}

fn columns(common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    for column in COLUMNS {
        if common.json {
            let (name, kind) = (column.name, column.kind.name());
            out.json(
                &json!({"name": name, "type": kind, "required": column.required, "about": column.about}),
            )?;
        } else {
            let empty = if column.required { "" } else { "  may be empty" };
            writeln!(out, "{:<14} {:<7} {}{empty}", column.name, column.kind.name(), column.about)?;
        }
    }
    Ok(ExitCode::Ok)
}

impl Args {
    fn wanted_format(&self) -> Result<Format, Failure> {
        let of_output = || self.output.as_deref().and_then(Format::of);
        self.format.or_else(of_output).ok_or_else(|| {
            Failure::new(ExitCode::Usage, "no_format", "it is not said which format to write")
                .hint("give --format jsonl, csv, parquet, vcon, clf, tsdk, pcap or recording")
        })
    }

    /// Options that this format or level knows nothing of are mistakes.
    fn check(&self, format: Format) -> Result<(), Failure> {
        let stray = |option: &str, of: &str| {
            let message = format!("{option} is for {of}");
            Err(Failure::new(ExitCode::Usage, "stray_option", message).hint(format!("leave {option} out")))
        };
        if self.sign_key.is_some() && format != Format::Vcon {
            return stray("--sign-key", "--format vcon");
        }
        if self.events && !matches!(format, Format::Jsonl | Format::Vcon) {
            return stray("--events", "--format jsonl and vcon");
        }
        if self.redact_key.is_some() && self.redact == Level::None {
            return stray("--redact-key", "--redact numbers and all");
        }
        Ok(())
    }

    fn redactor(&self) -> Result<Option<Redactor>, Failure> {
        if self.redact == Level::None {
            return Ok(None);
        }
        let key = match &self.redact_key {
            Some(path) => key::read(path)?,
            None => key::random()?,
        };
        Ok(Redactor::new(self.redact, key))
    }

    fn sink(
        &self,
        format: Format,
        common: &Common,
        reader: &dyn JournalReader,
        redactor: Option<&Redactor>,
    ) -> Result<Sink, Failure> {
        Ok(match format {
            Format::Jsonl => Sink::Calls(Box::new(Jsonl::new(self.destination(format)?, self.events))),
            Format::Csv => Sink::Calls(Box::new(Csv::new(self.destination(format)?)?)),
            Format::Parquet => Sink::Calls(Box::new(Parquet::new(self.destination(format)?)?)),
            Format::Vcon => Sink::Calls(Box::new(self.vcon(reader, redactor)?)),
            Format::Tsdk => Sink::Calls(Box::new(Tsdk::new(self.destination(format)?))),
            Format::Clf => Sink::Commits(Box::new(Clf::new(self.destination(format)?))),
            Format::Pcap => Sink::Commits(Box::new(Pcap::new(self.destination(format)?)?)),
            Format::Recording => {
                let header = self.header(reader, redactor)?;
                let mut recording = Recording::new(self.destination(format)?, &header, reader.call_keys())?;
                if let Some(checkpoint) = newest_checkpoint(common)? {
                    let pruned = reader.pruned()?;
                    recording = recording.under(checkpoint, pruned.as_ref(), redactor.is_some());
                }
                Sink::Commits(Box::new(recording))
            }
        })
    }

    fn destination(&self, format: Format) -> Result<Destination, Failure> {
        match self.output.as_deref() {
            None => Destination::stdout(format.is_binary()),
            Some(path) if path == Path::new("-") => Destination::stdout(format.is_binary()),
            Some(path) => Destination::file(path, self.force),
        }
    }

    fn vcon(&self, reader: &dyn JournalReader, redactor: Option<&Redactor>) -> Result<Vcon, Failure> {
        let signer = self.sign_key.as_deref().map(|key| Signer::read(key, self.sign_cert.as_deref()));
        let signer = signer.transpose()?;
        let directory = self.output.as_deref().map(Vcon::directory).transpose()?.flatten();
        let place = match directory {
            Some(dir) => Place::Directory { dir, replace: self.force },
            None => Place::Lines(self.destination(Format::Vcon)?),
        };
        let circumstances = Circumstances {
            now: when::now(),
            watermark: reader.tail()?.seq(),
            events: self.events,
            redacted: redactor.map(|redactor| redactor.level().code()),
        };
        Ok(Vcon::new(place, circumstances, signer))
    }

    fn header(&self, reader: &dyn JournalReader, redactor: Option<&Redactor>) -> Result<Header, Failure> {
        let redacted = redactor.map(|redactor| Redaction {
            level: redactor.level().code().to_owned(),
            stable: self.redact_key.is_some(),
            commitment: COMMITMENT.to_owned(),
        });
        Ok(Header {
            created_by: concat!("callbox ", env!("CARGO_PKG_VERSION")).to_owned(),
            created_at: when::now().to_string(),
            // What was typed to choose calls may name a person.
            selection: if redactor.is_some() { self.calls_in_numbers() } else { self.words() },
            watermark: reader.tail()?.seq(),
            redacted,
        })
    }

    fn calls_in_numbers(&self) -> Vec<String> {
        let filtered = !self.filter.takes_all() || !self.calls.is_empty();
        filtered.then(|| "chosen (not said how: redacted)".to_owned()).into_iter().collect()
    }

    /// The words of the command line that chose calls.
    fn words(&self) -> Vec<String> {
        let filter = &self.filter;
        let mut words = self.calls.clone();
        let mut option = |name: &str, value: &dyn std::fmt::Display| {
            let mut word = String::new();
            let _ = write!(word, "--{name} {value}");
            words.push(word);
        };
        filter.since.iter().for_each(|since| option("since", since));
        filter.until.iter().for_each(|until| option("until", until));
        filter.cause.iter().for_each(|cause| option("cause", cause));
        filter.family.iter().for_each(|family| option("family", family));
        filter.side.iter().for_each(|side| option("side", side));
        filter.number.iter().for_each(|number| option("number", number));
        if filter.live {
            words.push("--live".into());
        }
        words
    }
}
