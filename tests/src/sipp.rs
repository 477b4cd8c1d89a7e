//! SIPp on the other end of the wire, with scenarios of our own in `tests/sipp`.
//!
//! A scenario may hold placeholders (`@FINAL@`, `@BYE_HEADER@`, ...), each filled by [`Sipp::set`]. A header line that
//! is nothing but an unset placeholder is left out; an unset `@EXPECT@` fits every message.
//!
//! SIPp 3.6.1: its default local and control ports clash when several run, so both are always given; an optional
//! receive must be followed by a mandatory one; `[branch-N]` counts messages of the scenario, pauses included.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{self, Process};
use crate::wait;
use crate::workspace;

/// How SIPp is started.
#[derive(Debug, Clone)]
pub struct Sipp {
    name: String,
    scenario: String,
    folder: PathBuf,
    args: Vec<String>,
    tcp: bool,
}

impl Sipp {
    /// The scenario `tests/sipp/<name>.xml`, for one call.
    #[must_use]
    pub fn new(name: &str, folder: &Path) -> Self {
        let path = workspace::root().join(format!("tests/sipp/{name}.xml"));
        let scenario =
            std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("no scenario {}", path.display()));
        let name = name.to_owned();
        Self { name, scenario, folder: folder.to_path_buf(), args: Vec::new(), tcp: false }
    }

    /// Fills the placeholder `@name@` of the scenario.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        let place = format!("@{name}@");
        assert!(self.scenario.contains(&place), "{} has no {place}", self.name);
        self.scenario = self.scenario.replace(&place, value);
        self
    }

    /// More flags.
    #[must_use]
    pub fn with(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|&arg| arg.to_owned()));
        self
    }

    /// TCP instead of UDP.
    #[must_use]
    pub fn tcp(mut self) -> Self {
        self.tcp = true;
        self
    }

    /// Starts it as the called side; returns when its port is open.
    #[must_use]
    pub fn answer(self) -> Peer {
        self.start(None)
    }

    /// Starts it as the caller of `target` (`host:port`).
    #[must_use]
    pub fn call(self, target: &str) -> Peer {
        self.start(Some(target))
    }

    /// The scenario without what was not set.
    fn filled(&self) -> String {
        let unset = |line: &str| {
            let line = line.trim();
            line.len() > 2 && line.starts_with('@') && line.ends_with('@') && line != "@EXPECT@"
        };
        let lines: Vec<&str> = self.scenario.lines().filter(|line| !unset(line)).collect();
        let filled = lines.join("\n").replace("@EXPECT@", ".");
        assert!(!filled.contains("=\"@") && !filled.contains(" @"), "{}: a placeholder is unset", self.name);
        filled + "\n"
    }

    fn start(self, target: Option<&str>) -> Peer {
        let port = if self.tcp { process::free_tcp_port() } else { process::free_udp_port() };
        let control = process::free_udp_port();
        let name = format!("{}-{port}", self.name);
        let scenario = self.folder.join(format!("{name}.xml"));
        std::fs::write(&scenario, self.filled()).expect("the test's folder is writable");
        let errors = self.folder.join(format!("{name}.errors"));
        let messages = self.folder.join(format!("{name}.messages"));
        let mut command = Command::new("sipp");
        command.args(target).arg("-sf").arg(&scenario).current_dir(&self.folder);
        command.args(["-i", "127.0.0.1", "-p", &port.to_string(), "-cp", &control.to_string()]);
        command.args(["-t", if self.tcp { "t1" } else { "u1" }, "-nostdin", "-timeout_error"]);
        if !self.args.iter().any(|arg| arg == "-m") {
            command.args(["-m", "1", "-timeout", "60s", "-trace_msg"]).arg("-message_file").arg(&messages);
        }
        command.arg("-trace_err").arg("-error_file").arg(&errors).args(&self.args);
        let mut process = Process::start(&name, &mut command, &self.folder, false);
        if target.is_none() {
            process::wait_for_port(&mut process, !self.tcp, port);
        }
        Peer { process, port, errors, messages }
    }
}

/// A running SIPp.
#[derive(Debug)]
pub struct Peer {
    /// The process.
    pub process: Process,
    /// Its SIP port.
    pub port: u16,
    errors: PathBuf,
    messages: PathBuf,
}

impl Peer {
    /// A URI that leads to it.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("sip:bob@127.0.0.1:{}", self.port)
    }

    /// Waits for its end, which must be a success: every message came as the scenario says.
    pub fn finish(self) {
        self.finish_within(wait::SOON);
    }

    /// As [`Peer::finish`], with another bound.
    pub fn finish_within(mut self, bound: Duration) {
        let status = self.process.wait(bound);
        let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        assert!(status.success(), "SIPp: {status}\n{}\n{}", read(&self.errors), read(&self.messages));
    }

    /// What went over the wire so far, as SIPp saw it.
    #[must_use]
    pub fn messages(&self) -> String {
        std::fs::read_to_string(&self.messages).unwrap_or_default()
    }
}
