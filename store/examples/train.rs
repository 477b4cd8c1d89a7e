//! Trains a dictionary for `wal::pack` from stores: `train OUT STORE...`. Each commit is one sample, as it stands in a
//! group. Give it traffic of all kinds, of our own making: it becomes part of the format.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a program for those who build callbox")]

use callbox_events::schema;
use callbox_store::frame::{self, Facts};
use callbox_store::{Cursor, reader};

const BYTES: usize = 32 * 1024;

fn main() {
    let mut args = std::env::args().skip(1);
    let out = args.next().expect("where to write the dictionary");
    let mut samples = Vec::new();
    for store in args {
        let reader = reader::open(&store).unwrap();
        for stored in reader.read_all(Cursor::START).unwrap().map(Result::unwrap) {
            let payload = schema::encode(&stored.commit).unwrap();
            let mut bytes = Vec::new();
            frame::write(&mut bytes, stored.seq, &Facts::of(&stored.commit).unwrap(), &stored.hash, &payload);
            samples.push(bytes);
        }
    }
    let dictionary = zstd::dict::from_samples(&samples, BYTES).unwrap();
    std::fs::write(&out, &dictionary).unwrap();
    println!("{} samples, {} bytes", samples.len(), dictionary.len());
}
