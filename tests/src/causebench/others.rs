//! What other tools say of the same captures, mapped onto our axes as kindly as their words allow.
//!
//! Both tell a *state* of each call and nothing about who, why or how sure; what a state can mean at best is in the table.
//! Axes that a state says nothing about count as not said. A tool that states something without a doubt is still scored
//! as if it had said it with doubt (-1, not -4).
//!
//! | state | tool | taken for |
//! |---|---|---|
//! | `CALL SETUP` | both | `capture_ended`, nobody, `setup` |
//! | `RINGING` | tshark | `capture_ended`, nobody, `ringing` |
//! | `IN CALL` | both | `capture_ended`, nobody, `connected` |
//! | `COMPLETED` | both | `hangup`, `bye`, `connected` |
//! | `CANCELLED` | both | `cancelled`, caller, `cancel` |
//! | `REJECTED` | both | `final_response` of the callee, of no cause |
//! | `BUSY`, `DIVERTED` | sngrep | `busy` or `redirected`, `final_response` of the callee |
//!
//! sngrep has no output but its screen, so its list of calls is read off a terminal that tmux holds. tshark has the
//! states of Wireshark's window "VoIP Calls" nowhere in its output; they are made here from the messages that it prints,
//! by what Wireshark's documentation and window show: the state follows the last message that changes it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{Axis, Said};

/// What tshark's messages say, in the states of Wireshark's "VoIP Calls".
///
/// # Panics
/// If tshark does not run.
#[must_use]
pub fn tshark(capture: &Path) -> Vec<Said> {
    const FIELDS: [&str; 6] =
        ["sip.Call-ID", "sip.Method", "sip.Status-Code", "sip.CSeq.method", "sip.from.user", "sip.to.user"];
    let mut command = Command::new("tshark");
    command.arg("-r").arg(capture).args(["-Y", "sip", "-T", "fields"]);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark runs");
    let mut calls: BTreeMap<String, (&'static str, Vec<String>)> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [id, method, status, cseq, from, to] = fields[..] else { continue };
        let users = || vec![from.to_owned(), to.to_owned()];
        let call = calls.entry(id.to_owned()).or_insert_with(|| ("CALL SETUP", users()));
        call.0 = next(call.0, method, status.parse().unwrap_or_default(), cseq);
    }
    calls.iter().map(|(id, (state, users))| taken_for(state, Said::of(id).between(users.clone()))).collect()
}

/// The state after a message.
fn next(state: &'static str, method: &str, status: u16, cseq: &str) -> &'static str {
    match (method, status, cseq) {
        ("BYE", _, _) => "COMPLETED",
        ("CANCEL", _, _) if matches!(state, "CALL SETUP" | "RINGING") => "CANCELLED",
        (_, 180..=189, "INVITE") if state == "CALL SETUP" => "RINGING",
        (_, 200..=299, "INVITE") if state != "COMPLETED" => "IN CALL",
        (_, 300..=699, "INVITE") if matches!(state, "CALL SETUP" | "RINGING") => "REJECTED",
        _ => state,
    }
}

/// What sngrep's list of calls says.
///
/// # Panics
/// If tmux does not run.
#[must_use]
pub fn sngrep(capture: &Path) -> Vec<Said> {
    // A server of its own for each capture: the one before may not be gone yet.
    let name = capture.file_stem().unwrap_or_default().to_string_lossy();
    let session = format!("causebench-{}-{name}", std::process::id());
    let config = std::env::temp_dir().join(format!("{session}.rc"));
    let widths = "set cl.column0 callid\nset cl.column0.width 60\nset cl.column1 state\nset cl.column1.width 12\n\
        set cl.column2 sipfromuser\nset cl.column2.width 40\nset cl.column3 siptouser\nset cl.column3.width 40\n";
    std::fs::write(&config, widths).expect("a writable folder");
    let tmux = |args: &[&str]| Command::new("tmux").args(["-L", &session]).args(args).output();
    let shown = format!("exec sngrep -F -f {} -c -I {}", config.display(), capture.display());
    tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "220", "-y", "200", &shown]).expect("tmux runs");
    let mut last = String::new();
    // It has read the file when its screen no longer changes.
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(300));
        let screen = tmux(&["capture-pane", "-p"]).expect("tmux runs").stdout;
        let screen = String::from_utf8_lossy(&screen).into_owned();
        if screen.contains('@') && screen == last {
            break;
        }
        last = screen;
    }
    // It does not end with its terminal, but turns in circles.
    let process = tmux(&["list-panes", "-F", "#{pane_pid}"]).expect("tmux runs").stdout;
    let _ = Command::new("kill").arg("-KILL").arg(String::from_utf8_lossy(&process).trim()).status();
    let _ = tmux(&["kill-server"]);
    let _ = std::fs::remove_file(config);
    last.lines().filter_map(row).collect()
}

/// A line of the list: the Call-ID, a state and the users.
fn row(line: &str) -> Option<Said> {
    const STATES: [&str; 8] =
        ["CALL SETUP", "IN CALL", "CANCELLED", "REJECTED", "BUSY", "DIVERTED", "COMPLETED", "EXPIRED"];
    let state = STATES.into_iter().find(|state| line.contains(&format!(" {state} ")))?;
    let words: Vec<&str> = line.split_whitespace().filter(|word| !word.starts_with('[')).collect();
    let id = words.iter().find(|word| word.chars().count() > 2)?;
    let users = words.iter().flat_map(|word| word.split('@').next()).map(str::to_owned).collect();
    Some(taken_for(state, Said::of(id).between(users)))
}

fn taken_for(state: &str, said: Said) -> Said {
    let open = |said: Said, phase| {
        said.with(Axis::Family, "unknown")
            .with(Axis::Cause, "capture_ended")
            .with(Axis::Side, "nobody")
            .with(Axis::Phase, phase)
    };
    let refused = |said: Said| said.with(Axis::Side, "callee").with(Axis::Act, "final_response");
    match state {
        "CALL SETUP" => open(said, "setup"),
        "RINGING" => open(said, "ringing"),
        "IN CALL" => open(said, "connected"),
        "COMPLETED" => said
            .with(Axis::Family, "cleared")
            .with(Axis::Cause, "hangup")
            .with(Axis::Act, "bye")
            .with(Axis::Phase, "connected"),
        "CANCELLED" => said
            .with(Axis::Family, "abandoned")
            .with(Axis::Cause, "cancelled")
            .with(Axis::Side, "caller")
            .with(Axis::Act, "cancel"),
        "REJECTED" => refused(said),
        "BUSY" => refused(said).with(Axis::Family, "refused").with(Axis::Cause, "busy"),
        "DIVERTED" => refused(said).with(Axis::Family, "moved").with(Axis::Cause, "redirected"),
        _ => said,
    }
}
