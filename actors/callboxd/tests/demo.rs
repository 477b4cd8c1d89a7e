//! The demo, as somebody sees it who has just cloned the repository.

mod support;

use support::{callboxd, run};

/// The rows that the demo must at least play.
const ROWS: [&str; 13] = ["1a", "1b", "2a", "2d", "3a", "3b", "3g", "3h", "4a", "4b", "4c", "4d", "4g"];

#[test]
fn every_flow_ends_as_its_row_says_and_the_journal_remains() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("store");
    let path = store.to_str().expect("text");
    let output = callboxd(&["demo", "--store", path]).output().expect("callboxd starts");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stdout}\n{stderr}");
    for row in ROWS.into_iter().chain(["5a"]) {
        let lines = stdout.lines().filter(|line| line.starts_with(&format!("{row}  "))).count();
        assert_eq!(lines, 2, "{row} stands in the table and among the reasons:\n{stdout}");
    }
    for wanted in ["T1 = 40 ms", "callbox list --store", "callbox why ", "callbox ladder ", path] {
        assert!(stdout.contains(wanted), "{wanted}:\n{stdout}");
    }
    assert!(stderr.is_empty(), "{stderr}");

    let opened = callbox_store::reader::open(&store).expect("the store is free again");
    let calls = opened.calls().expect("calls").count();
    let sides = stdout.lines().filter(|line| line.starts_with("  A: ") || line.starts_with("  B: ")).count();
    assert_eq!(calls, sides, "one record for each side that was explained");
    callbox_store::testing::rerun::assert_decided_again(opened.as_ref());
}

#[test]
fn a_store_that_can_not_be_had_is_told_with_exit_code_4() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("letters.txt"), "Dear Alice").expect("written");
    let (code, stderr) = run(&["demo", "--store", dir.path().to_str().expect("text")]);
    assert_eq!(code, 4, "{stderr}");
}
