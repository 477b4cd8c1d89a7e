//! The acceptance table (`ends.txt`), run on whole engines in virtual time: every row, with all invariants.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod joins;
mod server;
mod table;
mod weather;
mod world;

use std::fmt::Write as _;

use table::Row;
use world::World;

const TABLE: &str = include_str!("ends.txt");

#[test]
fn every_row_of_the_acceptance_table_holds() {
    let rows = table::parse(TABLE);
    assert!(rows.len() > 60, "the table has lost its rows: {}", rows.len());
    let only = std::env::var("ROW").ok();
    let mut report = String::new();
    let (mut held, mut broken) = (0, 0);
    for row in rows.iter().filter(|row| only.as_ref().is_none_or(|id| *id == row.id)) {
        let complaints = play(row, 1);
        if complaints.is_empty() {
            held += 1;
            continue;
        }
        broken += 1;
        writeln!(report, "\nrow {} {}", row.id, row.title).unwrap();
        for complaint in complaints {
            writeln!(report, "    {complaint}").unwrap();
        }
    }
    assert_eq!(broken, 0, "{held} rows hold, {broken} do not:\n{report}");
}

#[test]
fn one_seed_gives_one_history() {
    for id in ["1c", "2d", "C4"] {
        let rows = table::parse(TABLE);
        let row = rows.iter().find(|row| row.id == id).unwrap();
        let histories: Vec<_> = [7, 7].into_iter().map(|seed| told(row, seed).0).collect();
        assert_eq!(histories[0], histories[1], "row {id}");
    }
}

/// Plays a row; returns what is wrong.
fn play(row: &Row, seed: u64) -> Vec<String> {
    told(row, seed).1
}

/// Lives through a row, until everything has drained.
fn lived(row: &Row, seed: u64) -> World {
    let mut world = World::new(seed);
    for (index, step) in row.steps.iter().enumerate() {
        let together = matches!(row.steps.get(index + 1), Some(next) if next.together);
        world.perform(step);
        if !together {
            world.settle();
        }
    }
    world.let_everything_drain();
    world
}

fn told(row: &Row, seed: u64) -> (Vec<String>, Vec<String>) {
    let mut world = lived(row, seed);
    let mut complaints: Vec<String> = weather::unchanged(&world.sim).err().into_iter().collect();
    for expectation in &row.expectations {
        complaints.extend(world.compare(expectation));
    }
    complaints.append(&mut world.complaints);
    if !complaints.is_empty() {
        complaints.push(world.sim.picture());
    }
    let wire = world.sim.wire().iter().map(|flight| format!("{} {}", flight.at, flight.text())).collect();
    (wire, complaints)
}
