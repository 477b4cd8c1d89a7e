//! The measurements in turn, and what they come to.

use std::collections::HashMap;
use std::process::Command;

use clap::ValueEnum;

use crate::Args;
use crate::calls::Workload;
use crate::peer::PeerName;

/// A column: heading, name of the figure, decimals.
const COLUMNS: [(&str, &str, usize); 11] = [
    ("events/s", "events_s", 0),
    ("commits/s", "commits_s", 0),
    ("ack p50 us", "p50_us", 0),
    ("ack p99 us", "p99_us", 0),
    ("CPU us/commit", "cpu_us", 1),
    ("written B/event", "writes_event", 0),
    ("kept B/event", "disk_event", 0),
    ("kept B/call", "disk_call", 0),
    ("a call us", "call_us", 0),
    ("scan events/s", "scan_s", 0),
    ("peak MB", "memory_mb", 0),
];

/// The columns that are given as ratios to the plain file, too.
const RATIOS: [&str; 5] = ["events_s", "p99_us", "cpu_us", "writes_event", "disk_event"];

type Figures = HashMap<String, f64>;

/// Measures everybody and prints a table for each workload and number of callers.
pub fn run(args: &Args) {
    let peers = if args.peer.is_empty() { PeerName::value_variants() } else { &args.peer };
    let limits = callbox_store::sled::Options::default();
    println!(
        "{} calls a measurement, {} rounds, medians; every ack synced; groups of at most {} commits and {} KiB for everybody.",
        args.calls,
        args.rounds,
        limits.group_commits,
        limits.group_bytes / 1024,
    );
    println!(
        "`callbox` lets a group grow for {} ms under load, which is its default; the others take what waits.",
        limits.group_delay.as_millis()
    );
    for workload in &args.workload {
        for callers in &args.callers {
            let mut rounds: HashMap<PeerName, Vec<Figures>> = HashMap::new();
            for round in 1..=args.rounds {
                for peer in peers {
                    eprintln!("{} / {callers} callers / round {round}: {}", name(workload), name(peer));
                    rounds.entry(*peer).or_default().push(alone(args, *peer, *workload, *callers));
                }
            }
            print(*workload, *callers, peers, &rounds);
        }
    }
}

fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// One measurement in a process of its own.
fn alone(args: &Args, peer: PeerName, workload: Workload, callers: usize) -> Figures {
    let mut child = Command::new(std::env::current_exe().expect("a program knows its path"));
    child.arg("--alone").arg("--dir").arg(&args.dir);
    child.args(["--peer", &name(&peer), "--workload", &name(&workload)]);
    child.args(["--callers", &callers.to_string(), "--calls", &args.calls.to_string()]);
    let output = child.stderr(std::process::Stdio::inherit()).output().expect("it starts");
    assert!(output.status.success(), "{} failed", name(&peer));
    let text = String::from_utf8(output.stdout).expect("it is text");
    let figure = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    text.lines().map(|line| figure(line).expect("a figure a line")).collect()
}

/// The median of a figure over the rounds; none if the peer has no such figure.
fn median(rounds: &[Figures], name: &str) -> Option<f64> {
    let mut values: Vec<f64> = rounds.iter().filter_map(|figures| figures.get(name).copied()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn print(workload: Workload, callers: usize, peers: &[PeerName], rounds: &HashMap<PeerName, Vec<Figures>>) {
    println!("\n{}, {callers} callers\n", name(&workload));
    let headings: Vec<&str> = COLUMNS.iter().map(|(heading, _, _)| *heading).collect();
    println!("| | {} |\n|---|{}", headings.join(" | "), "---:|".repeat(COLUMNS.len()));
    for peer in peers {
        let cell = |(_, figure, decimals): &(&str, &str, usize)| {
            let value = median(&rounds[peer], figure);
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
        };
        let cells: Vec<String> = COLUMNS.iter().map(cell).collect();
        println!("| {} | {} |", name(peer), cells.join(" | "));
    }
    let Some(plain) = rounds.get(&PeerName::Plain) else { return };
    println!("\n| times the plain file | {} |\n|---|{}", RATIOS.join(" | "), "---:|".repeat(RATIOS.len()));
    for peer in peers.iter().filter(|peer| !matches!(peer, PeerName::Plain | PeerName::Nothing)) {
        let ratio = |figure: &&str| {
            let value = median(&rounds[peer], figure).zip(median(plain, figure));
            value.map_or_else(|| "-".to_owned(), |(value, plain)| format!("{:.2}", value / plain))
        };
        let cells: Vec<String> = RATIOS.iter().map(ratio).collect();
        println!("| {} | {} |", name(peer), cells.join(" | "));
    }
}
