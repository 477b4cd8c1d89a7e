//! The call machine, told as scripts: each file under `machine/` is a story of inputs; the output shows what was
//! decided (⇨ phase, events, effects). `UPDATE_GOLDENFILES=1 cargo test` rewrites the outputs; the diff is the review.

mod support;

use std::fmt::Write as _;
use std::path::Path;

use callbox_events::call::{EventKind, Phase, TRANSITIONS, target};
use support::Script;

#[test]
fn the_stories_run_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/machine");
    let mut stories: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    stories.sort();
    assert!(stories.len() >= 10, "the stories are missing");
    for story in stories {
        goldenscript::run(&mut Script::default(), &story)
            .unwrap_or_else(|error| panic!("{}: {error}", story.display()));
    }
}

const KINDS: [EventKind; 21] = [
    EventKind::Placed,
    EventKind::Sent,
    EventKind::Offered,
    EventKind::Progressed,
    EventKind::Rang,
    EventKind::EarlyMedia,
    EventKind::Answered,
    EventKind::Connected,
    EventKind::Media,
    EventKind::MediaRequested,
    EventKind::MediaRefused,
    EventKind::Ending,
    EventKind::EndingSent,
    EventKind::Ended,
    EventKind::Recovered,
    EventKind::Released,
    EventKind::Noted,
    EventKind::Observed,
    EventKind::FoundConnected,
    EventKind::CancelSeen,
    EventKind::EndSeen,
];

#[test]
fn the_table_as_a_matrix() {
    let mut matrix = format!("{:<16}", "");
    for phase in Phase::ALL {
        write!(matrix, "{:<12}", phase.code()).unwrap();
    }
    for kind in KINDS {
        write!(matrix, "\n{:<16}", kind.code()).unwrap();
        for phase in Phase::ALL {
            write!(matrix, "{:<12}", target(phase, kind).map_or("·", Phase::code)).unwrap();
        }
    }
    let matrix: Vec<&str> = matrix.lines().map(str::trim_end).collect();
    insta::assert_snapshot!(matrix.join("\n"));
}

#[test]
fn the_table_as_a_graph() {
    let mut edges: Vec<String> = TRANSITIONS
        .iter()
        .filter(|row| row.from != row.to)
        .map(|row| format!("{} --{}--> {}", row.from, row.event.code(), row.to))
        .collect();
    edges.sort();
    insta::assert_snapshot!(edges.join("\n"));
}

#[test]
fn the_table_has_no_row_twice() {
    for (index, row) in TRANSITIONS.iter().enumerate() {
        assert!(
            !TRANSITIONS[..index].iter().any(|other| other.from == row.from && other.event == row.event),
            "{row:?}"
        );
    }
}

#[test]
fn ended_can_be_reached_from_every_phase() {
    for phase in Phase::ALL {
        let mut reached = vec![phase];
        while let Some(next) = TRANSITIONS
            .iter()
            .find(|row| reached.contains(&row.from) && !reached.contains(&row.to))
            .map(|row| row.to)
        {
            reached.push(next);
        }
        assert!(reached.contains(&Phase::Ended), "{phase} never ends");
    }
}
