//! `callbox import`: a capture of other people's calls, or a recording, becomes calls in a store.

mod left_open;
mod opened;
mod recorder;

pub use opened::{Opened, shown};

use std::io::Write;
use std::path::PathBuf;

use callbox_store::Journal;
use callbox_store::recording::is_recording;
use callbox_store::sled::SledJournal;
use recorder::Recorded;
use serde_json::json;

use crate::capture::Outcome;
use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::render::style::{BAD, DIM, GOOD};
use crate::render::words::count;
use crate::signing::Signing;
use crate::{import, source};

const EXAMPLES: &str = "\
Examples:
  callbox import trunk.pcap --store calls            the calls of a capture become calls of a store
  tcpdump -w - port 5060 | callbox import - --store calls
  callbox import trunk.pcapng.gz --dry-run           only say what is in it
  callbox import case.recording --store journal      takes the calls of a recording into a store

Reads pcap and pcapng with Ethernet, Linux cooked, raw IP, loopback, PPP, VLAN, MPLS and PPPoE; IPv4 and IPv6 with fragments
and tunnels; SIP over UDP, TCP and WebSocket on any port; HEP in a capture or one packet after the other in a file. All of
it may be packed with gzip.

Exits with 1 if the capture is broken, and what comes before is imported; or if the store has another record of a call of
the recording, which is left as it is. Importing a file again changes nothing.

A call that an import or a mirror left open because it was killed goes on in a later capture; it ends as far as it was seen
if the capture is four hours later and shows nothing of it.";

/// Import the calls of a capture (pcap, pcapng, HEP) or of a portable recording into the store
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The capture, packed with gzip or not, or the recording; `-` is a capture on standard input
    #[arg(value_name = "FILE")]
    pub capture: PathBuf,
    /// Read the capture and say what is in it; change no store
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub signing: Signing,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let path = args.capture.as_path();
    if !args.dry_run && is_recording(path) {
        let dir = source::dir(common)?;
        return import::recording::run(path, dir, args.signing.options(dir)?, common, out);
    }
    let store = if args.dry_run { None } else { Some(source::dir(common)?) };
    // A wrong file must not leave a store behind.
    let opened = Opened::at(path)?;
    let open = |store| Ok::<_, Failure>(SledJournal::open(store, args.signing.options(store)?)?);
    let journal = store.map(open).transpose()?;
    let (outcome, recorded) = opened.record(journal.as_ref().map(|journal| journal as &dyn Journal))?;
    if let Some(journal) = &journal {
        journal
            .close()
            .map_err(|error| Failure::new(ExitCode::Store, "store_unusable", error.to_string()))?;
    }
    let report = Report { outcome, recorded, dry_run: args.dry_run };
    if common.json {
        out.json(&report.document())?
    } else {
        report.print(out, &shown(path))?
    }
    Ok(if report.outcome.broken.is_some() { ExitCode::Finding } else { ExitCode::Ok })
}

/// What is told at the end.
struct Report {
    outcome: Outcome,
    recorded: Recorded,
    dry_run: bool,
}

impl Report {
    fn print(&self, out: &mut Output, path: &str) -> std::io::Result<()> {
        let Outcome { tally, broken, format } = &self.outcome;
        let calls = count(self.recorded.calls, "call");
        let found = format!("{}, {}", count(tally.packets, "packet"), count(tally.messages, "SIP message"));
        if self.dry_run {
            writeln!(out, "{GOOD}found{GOOD:#}     {calls} in {found} of {path} ({format})")?;
        } else {
            writeln!(out, "{GOOD}imported{GOOD:#}  {calls} from {found} of {path} ({format})")?;
        }
        for (number, what) in self.notes() {
            writeln!(out, "{DIM}          {number} {what}{DIM:#}")?;
        }
        for skipped in tally.skipped() {
            writeln!(out, "skipped   {} {}", skipped.count, skipped.what)?;
        }
        if let Some(broken) = broken {
            writeln!(out, "{BAD}broken{BAD:#}    {broken}")?;
        }
        Ok(())
    }

    /// What else there is to say, each with its number.
    fn notes(&self) -> impl Iterator<Item = (u64, &'static str)> {
        let Recorded { known, different, too_large, taken_up, tones, .. } = self.recorded;
        [
            (known, "already in the store"),
            (different, "left as they are: the store has them from another capture"),
            (taken_up, "left open in the store, and gone on with"),
            (too_large, "cut short: a message is too large for a store"),
            (tones, "tones heard in the audio of calls"),
        ]
        .into_iter()
        .filter(|(number, _)| *number > 0)
    }

    fn document(&self) -> serde_json::Value {
        let Outcome { tally, broken, format } = &self.outcome;
        let Recorded { calls, known, different, too_large, events, taken_up, tones } = self.recorded;
        json!({
            "format": format.to_string(),
            "dry_run": self.dry_run,
            "packets": tally.packets,
            "messages": tally.messages,
            "calls": calls,
            "events": events,
            "already_there": known,
            "left_as_they_are": different,
            "cut_short": too_large,
            "taken_up": taken_up,
            "tones": tones,
            "skipped": tally.skipped(),
            "broken": broken.as_ref().map(|broken| json!({
                "offset": broken.offset, "packets": broken.packets, "what": broken.what,
            })),
        })
    }
}
