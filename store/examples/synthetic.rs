//! A recording of made-up calls, for measuring what reads recordings: `synthetic CALLS FILE`.
//!
//! Each call has three commits, four events, and a message of 400 bytes, and is open while the next hundred begin.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;

use callbox_events::CallId;
use callbox_events::schema::{self, Commit, StoredCommit};
use callbox_store::chain::{self, Link};
use callbox_store::recording::{Header, Writer};
use callbox_store::testing::sample::{commit, offered, released};

/// How many calls go on at once.
const OPEN: u64 = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(calls), Some(path)) = (args.next(), args.next()) else {
        return Err("synthetic CALLS FILE".into());
    };
    let calls: u64 = calls.parse()?;
    let header = Header { created_by: "synthetic".into(), watermark: calls * 4, ..Header::default() };
    let mut tape = Tape {
        out: Writer::new(BufWriter::new(File::create(&path)?), &header)?,
        seq: 0,
        open: Default::default(),
    };
    for number in 0..calls + OPEN {
        if number < calls {
            tape.put(offered(number))?;
            tape.put(commit(number, 1, 1, 0))?;
        }
        if let Some(over) = number.checked_sub(OPEN) {
            let end = released(over, 2);
            let call = end.call;
            tape.put(end)?;
            tape.open.remove(&call);
        }
    }
    let (_, totals) = tape.out.finish()?;
    println!("{} calls, {} commits, {} events in {path}", totals.calls, totals.commits, totals.events);
    Ok(())
}

struct Tape {
    out: Writer<BufWriter<File>>,
    seq: u64,
    open: std::collections::HashMap<CallId, Link>,
}

impl Tape {
    fn put(&mut self, commit: Commit) -> Result<(), Box<dyn Error>> {
        let link = self.open.entry(commit.call).or_insert(chain::START);
        *link = chain::link(link, &schema::encode(&commit)?);
        let (events, hash) = (commit.events.len() as u64, *link);
        self.out.commit(&StoredCommit::plain(self.seq, hash, commit), None)?;
        self.seq += events;
        Ok(())
    }
}
