//! `callboxd serve` as a process.

use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::Receiver;

use crate::events::Events;
use crate::http::Api;
use crate::lab::Lab;
use crate::process::Process;
use crate::{wait, workspace};

/// How a daemon is started.
#[derive(Debug, Clone)]
pub struct Serve {
    store: PathBuf,
    folder: PathBuf,
    udp: u16,
    args: Vec<String>,
}

impl Serve {
    /// A daemon on free ports (UDP, TCP and HTTP on loopback) with its journal in `lab`.
    #[must_use]
    pub fn new(lab: &Lab) -> Self {
        Self { store: lab.store(), folder: lab.path().to_path_buf(), udp: 0, args: Vec::new() }
    }

    /// Keeps its journal in another place.
    #[must_use]
    pub fn journal(mut self, store: PathBuf) -> Self {
        self.store = store;
        self
    }

    /// More flags of `callboxd serve`.
    #[must_use]
    pub fn with(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|&arg| arg.to_owned()));
        self
    }

    /// T1 = 20 ms, so that 64·T1 is 1.28 s: what takes 32 s in the field ends within the test's patience.
    #[must_use]
    pub fn hurried(self) -> Self {
        self.with(&["--t1", "20"])
    }

    /// Listens on this UDP port, as after a crash.
    #[must_use]
    pub fn on(mut self, port: u16) -> Self {
        self.udp = port;
        self
    }

    /// The command line.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(workspace::binary("callboxd"));
        command.arg("serve").arg("--store").arg(&self.store);
        command.args(["--listen", &format!("udp:127.0.0.1:{}", self.udp), "--listen", "tcp:127.0.0.1:0"]);
        command.args(["--http", "127.0.0.1:0"]).args(&self.args);
        command
    }

    /// Starts it and waits for the line that says it accepts traffic.
    #[must_use]
    pub fn start(self) -> Daemon {
        let name = format!("callboxd-{}", std::fs::read_dir(&self.folder).map_or(0, Iterator::count));
        let mut process = Process::start(&name, &mut self.command(), &self.folder, true);
        let lines = process.lines();
        let ready = match lines.recv_timeout(wait::SOON) {
            Ok(line) => line,
            Err(_) => panic!("callboxd did not get ready; it printed:\n{}", process.printed()),
        };
        let ready = Ready::parse(&ready).unwrap_or_else(|| panic!("not a ready line: {ready}"));
        Daemon { process, ready, _lines: lines }
    }
}

/// The ports of the ready line; 0 for what the daemon does not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ready {
    /// SIP over UDP.
    pub udp: u16,
    /// SIP over TCP.
    pub tcp: u16,
    /// The control API.
    pub http: u16,
}

impl Ready {
    /// Reads `ready udp:127.0.0.1:5060 http:127.0.0.1:8080`.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut ready = Self::default();
        for place in line.trim().strip_prefix("ready ")?.split_whitespace() {
            let port = place.rsplit(':').next()?.parse().ok()?;
            match place.split(':').next()? {
                "udp" => ready.udp = port,
                "tcp" => ready.tcp = port,
                "http" => ready.http = port,
                _ => return None,
            }
        }
        Some(ready)
    }
}

/// A running `callboxd serve`. Killed when dropped.
#[derive(Debug)]
pub struct Daemon {
    /// The process.
    pub process: Process,
    /// Its ports.
    pub ready: Ready,
    _lines: Receiver<String>,
}

impl Daemon {
    /// Its control API.
    #[must_use]
    pub fn api(&self) -> Api {
        Api::new(self.ready.http)
    }

    /// Its notifications from sequence number `from` on.
    #[must_use]
    pub fn events(&self, from: u64) -> Events {
        Events::follow(self.ready.http, from)
    }

    /// Its SIP address over UDP.
    #[must_use]
    pub fn udp(&self) -> String {
        format!("127.0.0.1:{}", self.ready.udp)
    }

    /// Stops it gracefully (SIGTERM) and waits for exit code 0.
    pub fn stop(mut self) {
        self.process.terminate();
        let status = self.process.wait(wait::SOON);
        assert!(status.success(), "callboxd ended with {status}; it printed:\n{}", self.process.printed());
    }

    /// Kills it (SIGKILL): no handler runs, nothing is flushed.
    pub fn crash(mut self) {
        self.process.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::Ready;

    #[test]
    fn the_ready_line_tells_the_real_ports() {
        let ready = Ready::parse("ready udp:127.0.0.1:5060 tcp:127.0.0.1:5061 http:127.0.0.1:8080");
        assert_eq!(ready, Some(Ready { udp: 5060, tcp: 5061, http: 8080 }));
        assert_eq!(Ready::parse("listening udp:127.0.0.1:5060"), None);
    }
}
