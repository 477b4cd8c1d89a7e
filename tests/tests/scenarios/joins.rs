//! The two ends of every row put together (I10): where a call went from engine to engine, both records join by Call-ID and
//! tags, and agree.

use std::fmt::Write as _;

use callbox::sim::Sim;
use callbox_events::schema::StoredCommit;
use callbox_events::verdict::Direction;
use callbox_events::view::join::{CallKey, join, match_calls, merged};

use super::table;
use super::{TABLE, lived};

/// Every pair of the row's calls: what joined them, and the codes of the contradictions.
pub fn pairs(sim: &Sim) -> Vec<String> {
    let keys = |name: &str| -> Vec<CallKey> {
        let calls = sim.calls(name).into_iter();
        calls.filter_map(|call| CallKey::of(&sim.commits_of(name, call))).collect()
    };
    let (a, b) = (keys("A"), keys("B"));
    let mut lines = Vec::new();
    for matched in match_calls(&a, &b) {
        let (key_a, key_b) = (&a[matched.a], &b[matched.b]);
        let one = sim.commits_of("A", key_a.call);
        let two = sim.commits_of("B", key_b.call);
        let outgoing = key_a.direction == Direction::Outgoing;
        let (caller, callee) = if outgoing { (one, two) } else { (two, one) };
        let joined = join(&caller, &callee, matched.basis);
        one_clock(&caller, &callee, &joined);
        let codes: Vec<&str> = joined.contradictions.iter().map(|found| found.code).collect();
        let by = serde_json::to_value(matched.basis).unwrap();
        lines
            .push(format!("{}: {}", by.as_str().unwrap(), codes.join(" ")).trim_end_matches(": ").to_owned());
    }
    lines
}

/// Both engines of a simulation have one clock: the bounds must enclose zero, whatever the weather.
fn one_clock(caller: &[StoredCommit], callee: &[StoredCommit], joined: &callbox_events::view::join::Joined) {
    let clocks = joined.clocks;
    assert!(clocks.at_most_us.is_none_or(|most| most >= 0), "{clocks:?}");
    assert!(clocks.at_least_us.is_none_or(|least| least <= 0), "{clocks:?}");
    let basis = callbox_events::view::join::Basis::CallId;
    let chart = merged(caller, callee, basis, clocks.estimate()).unwrap();
    assert!(chart.rows.is_sorted_by_key(|row| row.offset), "a chart goes down in time");
}

#[test]
fn the_records_of_both_ends_join_and_agree() {
    let mut report = String::new();
    let mut joined = 0;
    for row in table::parse(TABLE) {
        let world = lived(&row, 1);
        let both = ["A", "B"].iter().all(|name| !world.sim.calls(name).is_empty());
        let found = pairs(&world.sim);
        if both && found.iter().all(|line| line == "call_id") && !found.is_empty() {
            joined += 1;
        } else if both {
            writeln!(report, "{} {}: {found:?}", row.id, row.title).unwrap();
        }
    }
    assert!(report.is_empty(), "rows whose two records do not agree:\n{report}");
    assert!(joined > 30, "only {joined} rows have two ends");
}
