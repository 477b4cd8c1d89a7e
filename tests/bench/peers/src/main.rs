//! The journal of callbox beside a plain file, redb, SQLite and fjall: the same commits from the same callers, every
//! acknowledgement synced, in one run. `run` builds and starts it.
//!
//! Each measurement is a process of its own over a fresh directory, so that CPU time, memory and block writes are that
//! peer's alone. The peers take turns, round after round; the table shows medians.

mod calls;
mod drive;
mod group;
mod measure;
mod peer;
mod table;

use std::path::PathBuf;

use clap::Parser;

use crate::calls::Workload;
use crate::peer::PeerName;

/// The journal of callbox beside other stores, on one workload in one run.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Calls per measurement.
    #[arg(long, default_value_t = 40_000)]
    calls: u64,
    /// Callers at a time, each waiting for its ack before its next commit; repeatable.
    #[arg(long, value_name = "N", default_values_t = [64, 1024])]
    callers: Vec<usize>,
    /// What is written; repeatable.
    #[arg(long, value_enum, default_values_t = [Workload::Calls, Workload::Events])]
    workload: Vec<Workload>,
    /// How often each peer has its turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only these peers; repeatable.
    #[arg(long, value_enum, value_name = "NAME")]
    peer: Vec<PeerName>,
    /// The disk to measure on.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
    /// One measurement in this process, printed for the parent.
    #[arg(long, hide = true)]
    alone: bool,
}

fn main() {
    let args = Args::parse();
    if args.alone {
        let (Some(peer), Some(workload), Some(callers)) =
            (args.peer.first(), args.workload.first(), args.callers.first())
        else {
            unreachable!("the parent names all three");
        };
        print!("{}", drive::measure(*peer, *workload, *callers, args.calls, &args.dir));
    } else {
        table::run(&args);
    }
}
