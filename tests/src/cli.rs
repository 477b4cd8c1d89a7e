//! `callbox`, the replay tool, as a process.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::workspace;

/// The replay tool on one journal.
#[derive(Debug, Clone)]
pub struct Cli {
    source: Vec<std::ffi::OsString>,
}

impl Cli {
    /// On a store directory, whether or not an engine holds it.
    #[must_use]
    pub fn store(store: &Path) -> Self {
        Self { source: vec!["--store".into(), PathBuf::from(store).into()] }
    }

    /// On a portable recording.
    #[must_use]
    pub fn recording(recording: &Path) -> Self {
        Self { source: vec!["--recording".into(), PathBuf::from(recording).into()] }
    }

    /// On the engine behind a port of loopback.
    #[must_use]
    pub fn url(port: u16) -> Self {
        Self { source: vec!["--url".into(), format!("http://127.0.0.1:{port}").into()] }
    }

    /// The same with more options.
    #[must_use]
    pub fn with(mut self, options: &[&OsStr]) -> Self {
        self.source.extend(options.iter().map(std::convert::Into::into));
        self
    }

    /// On no store: for commands that are told theirs by name.
    #[must_use]
    pub fn nowhere() -> Self {
        Self { source: Vec::new() }
    }

    /// Runs one command.
    #[must_use]
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("callbox runs")
    }

    /// One command, to be run.
    #[must_use]
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(workspace::binary("callbox"));
        command.args(&self.source).args(args.iter().map(OsStr::new)).env("NO_COLOR", "1");
        command
    }

    /// Runs one command that must succeed; its standard output.
    #[must_use]
    pub fn text(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "callbox {args:?}: {}\n{out}{err}", output.status);
        out.into_owned()
    }

    /// Runs one command with `--json`: one document.
    #[must_use]
    pub fn json(&self, args: &[&str]) -> Value {
        let text = self.text(&[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("callbox {args:?}: {error} in {text}"))
    }

    /// Runs one command with `--json`: one document a line.
    #[must_use]
    pub fn json_lines(&self, args: &[&str]) -> Vec<Value> {
        let text = self.text(&[args, &["--json"]].concat());
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{args:?}: {error} in {line}"))
        };
        text.lines().filter(|line| !line.trim().is_empty()).map(parse).collect()
    }

    /// The verdict object of a call.
    #[must_use]
    pub fn why(&self, call: &str) -> Value {
        self.json(&["why", call])
    }

    /// The calls, one each.
    #[must_use]
    pub fn list(&self) -> Vec<Value> {
        self.json_lines(&["list"])
    }

    /// The recorded events of a call.
    #[must_use]
    pub fn show(&self, call: &str) -> Vec<Value> {
        self.json_lines(&["show", call])
    }

    /// Every recorded input leads to what was recorded, and every checksum fits.
    pub fn assert_sound(&self) {
        let _ = self.text(&["check"]);
        let _ = self.text(&["verify"]);
    }
}
