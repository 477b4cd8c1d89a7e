//! `callbox import`: a capture of other people's calls becomes calls in a store.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use callbox_events::Timestamp;
use callbox_sip::observe::Sighting;
use callbox_sip::observe::tones::Tone;
use serde_json::json;

use crate::capture::input::{Input, Reach};
use crate::capture::{self, NotACapture, Outcome};
use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::render::style::{BAD, DIM, GOOD};
use crate::render::words::count;

const EXAMPLES: &str = "\
Examples:
  callbox import trunk.pcap --store calls            the calls of a capture become calls of a store
  tcpdump -w - port 5060 | callbox import - --store calls
  callbox import trunk.pcapng.gz --dry-run           only say what is in it

Reads pcap and pcapng with Ethernet, Linux cooked, raw IP, loopback, PPP, VLAN, MPLS and PPPoE; IPv4 and IPv6 with fragments
and tunnels; SIP over UDP, TCP and WebSocket on any port; HEP in a capture or one packet after the other in a file. All of
it may be packed with gzip.

Exits with 1 if the capture is broken; what comes before is imported. Importing a capture again changes nothing.";

/// Import the calls of a capture (pcap, pcapng, HEP) into the store
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The capture, packed with gzip or not; `-` is standard input
    #[arg(value_name = "FILE")]
    pub capture: PathBuf,
    /// Read the capture and say what is in it; change no store
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let input = Input::open(&args.capture).map_err(|error| unreadable(&args.capture, &error.into()))?;
    let mut sink = Nobody;
    let outcome = read(&args.capture, input, &mut sink)?;
    tell(out, common, &args.capture, &outcome)?;
    Ok(if outcome.broken.is_some() { ExitCode::Finding } else { ExitCode::Ok })
}

/// Takes note of nothing.
struct Nobody;

impl capture::Sink for Nobody {
    fn see(&mut self, _: Sighting) {}

    fn hear(&mut self, _: Timestamp, _: SocketAddr, _: Tone) {}
}

fn read(path: &Path, input: Input, sink: &mut impl capture::Sink) -> Result<Outcome, Failure> {
    let reach: Reach = input.reach();
    let bar = Progress::bytes(reach.total);
    let outcome = capture::read(input, sink, &mut || bar.at(reach.done()));
    let outcome = outcome.map_err(|error| unreadable(path, &error))?;
    if outcome.tally.is_foreign() {
        return Err(foreign(path, &outcome));
    }
    Ok(outcome)
}

fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".into() } else { path.display().to_string() }
}

fn unreadable(path: &Path, error: &NotACapture) -> Failure {
    let shown = shown(path);
    match error {
        NotACapture::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Failure::new(ExitCode::NotFound, "capture_not_found", format!("there is no file {shown}"))
                .hint("check the path; `-` reads standard input")
        }
        NotACapture::Io(error) => {
            Failure::new(ExitCode::Failure, "capture_unreadable", format!("{shown} can't be read: {error}"))
        }
        NotACapture::Empty | NotACapture::Unknown => {
            Failure::new(ExitCode::Failure, "not_a_capture", format!("{shown} is no capture: {error}"))
                .hint("record one with `tcpdump -w FILE` or `tshark -w FILE`")
        }
    }
}

fn foreign(path: &Path, outcome: &Outcome) -> Failure {
    let links: Vec<String> = outcome.tally.links.keys().map(ToString::to_string).collect();
    let message = format!("{} holds packets of {} alone, which is not read", shown(path), links.join(", "));
    Failure::new(ExitCode::Failure, "unsupported_link", message)
        .hint("capture on an Ethernet, Linux cooked, raw IP or loopback interface")
}

fn tell(out: &mut Output, common: &Common, path: &Path, outcome: &Outcome) -> Result<(), Failure> {
    if common.json {
        return out.json(&document(outcome));
    }
    let Outcome { tally, broken, format } = outcome;
    let (packets, messages) = (count(tally.packets, "packet"), count(tally.messages, "SIP message"));
    writeln!(out, "{GOOD}imported{GOOD:#}  {}  {DIM}{format}{DIM:#}: {packets}, {messages}", shown(path))?;
    for skipped in tally.skipped() {
        writeln!(out, "{DIM}skipped{DIM:#}   {} {}", skipped.count, skipped.what)?;
    }
    if let Some(broken) = broken {
        writeln!(out, "{BAD}broken{BAD:#}    {broken}")?;
    }
    Ok(())
}

fn document(outcome: &Outcome) -> serde_json::Value {
    let Outcome { tally, broken, format } = outcome;
    json!({
        "format": format.to_string(),
        "packets": tally.packets,
        "messages": tally.messages,
        "skipped": tally.skipped(),
        "broken": broken.as_ref().map(|broken| json!({
            "offset": broken.offset, "packets": broken.packets, "what": broken.what,
        })),
    })
}
