//! `tests/bench/causebench`: the score on the corpus as a table, then every answer that is not right.

use std::path::Path;

use callbox_tests::causebench::score::{self, Judged};
use callbox_tests::causebench::{Said, View, corpus, judged, others, ours, table};
use callbox_tests::peers;

fn main() {
    if std::env::args().any(|argument| argument == "--others") {
        beside_others();
        return;
    }
    let ours = judged();
    println!("{}", table::scores(&[("callbox", ours.clone())]));
    println!("{} labels; not right:\n{}", ours.len(), table::confusions(&ours, true));
}

/// Only what stands in the captures: the others have no record of their own.
fn beside_others() {
    type Tool = fn(&Path) -> Vec<Said>;
    let mut tools: Vec<(&str, Tool)> = vec![("callbox", ours::on_capture)];
    if peers::have("tshark", "tshark") {
        tools.push(("Wireshark's states", others::tshark));
    }
    if peers::have("sngrep", "sngrep") && peers::have("tmux", "tmux") {
        tools.push(("sngrep", others::sngrep));
    }
    let corpus = corpus();
    let of = |tool: Tool| -> Vec<Judged> {
        corpus.iter().flat_map(|sheet| score::judge(&sheet.of(View::Wire), &tool(&sheet.capture))).collect()
    };
    let judged: Vec<(&str, Vec<Judged>)> = tools.into_iter().map(|(name, tool)| (name, of(tool))).collect();
    println!("{}", table::scores(&judged));
    for (name, judged) in &judged[1..] {
        println!(
            "{name}: calls not in its list, and what it says wrong:\n{}",
            table::confusions(judged, false)
        );
    }
}
