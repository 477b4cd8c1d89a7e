//! `tests/bench/causebench`: the score on the corpus as a table, then every answer that is not right.

use callbox_tests::causebench::{judged, table};

fn main() {
    let ours = judged();
    println!("{}", table::scores(&[("callbox", ours.clone())]));
    println!("{} labels; not right:\n{}", ours.len(), table::confusions(&ours, true));
}
