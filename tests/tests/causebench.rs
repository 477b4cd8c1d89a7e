//! CauseBench: callbox against calls whose ends are known (`tests/causebench`).

use std::sync::OnceLock;

use callbox_tests::causebench::score::{self, Judged, Outcome};
use callbox_tests::causebench::{View, corpus, ours, table};

/// The score that was reached, in percent. Raise it with what you mend; lower it never.
const REACHED: f64 = 99.5;
/// How many labelled calls there are at least.
const CALLS: usize = 300;

struct Bench {
    judged: Vec<Judged>,
    /// Captures that hold more or fewer calls than are labelled.
    uneven: Vec<String>,
}

fn bench() -> &'static Bench {
    static BENCH: OnceLock<Bench> = OnceLock::new();
    BENCH.get_or_init(|| {
        let mut bench = Bench { judged: Vec::new(), uneven: Vec::new() };
        for sheet in corpus() {
            let (said, labels) = (ours::on_capture(&sheet.capture), sheet.of(View::Wire).len());
            if said.len() != labels {
                bench.uneven.push(format!("{}: {} calls, {labels} labels", sheet.name, said.len()));
            }
            bench.judged.extend(sheet.judged(&said));
        }
        bench
    })
}

#[test]
fn every_call_has_a_label_and_every_label_a_call() {
    let bench = bench();
    let lost: Vec<_> = bench.judged.iter().filter(|call| !call.found).map(|call| &call.label.call).collect();
    assert!(lost.is_empty() && bench.uneven.is_empty(), "{lost:?} {:?}", bench.uneven);
    assert!(bench.judged.len() >= CALLS, "{} labels", bench.judged.len());
}

#[test]
fn what_is_sure_is_met_on_every_axis() {
    let sure: Vec<Judged> = bench()
        .judged
        .iter()
        .filter(|call| call.label.is_sure() && call.label.gap.is_none())
        .cloned()
        .collect();
    let missed = table::confusions(&sure, true);
    assert!(missed.is_empty(), "{missed}");
}

#[test]
fn nothing_is_wrong_and_said_without_doubt() {
    let mut confident = bench().judged.clone();
    confident.iter_mut().for_each(|call| {
        call.answers.retain(|answer| answer.outcome == Outcome::ConfidentlyWrong);
    });
    let wrong = table::confusions(&confident, false);
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_gap_that_was_closed_is_no_longer_excused() {
    let closed: Vec<_> = bench()
        .judged
        .iter()
        .filter(|call| call.label.gap.is_some())
        .filter(|call| call.answers.iter().all(|answer| answer.outcome == Outcome::Right))
        .map(|call| &call.label.call)
        .collect();
    assert!(closed.is_empty(), "met, so take the `gap:` away: {closed:?}");
}

#[test]
fn the_score_does_not_fall() {
    let (_, all) = score::totals(&bench().judged);
    assert!(all.percent() >= REACHED, "{:.1} %\n{}", all.percent(), table::confusions(&bench().judged, true));
}
