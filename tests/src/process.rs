//! Child processes that do not outlive their test.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use crate::wait;

/// A running child. Killed by its process id and reaped when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
    output: PathBuf,
}

impl Process {
    /// Starts `command`; standard error, and standard output unless the command pipes it, go to `<name>.out` in `folder`.
    #[must_use]
    pub fn start(name: &str, command: &mut Command, folder: &Path, pipe_stdout: bool) -> Self {
        let output = folder.join(format!("{name}.out"));
        let file = File::create(&output).expect("the test's folder is writable");
        let both = file.try_clone().expect("a file handle can be cloned");
        command.stdin(Stdio::null()).stderr(file);
        command.stdout(if pipe_stdout { Stdio::piped() } else { Stdio::from(both) });
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self { child, name: name.to_owned(), output }
    }

    /// The child's piped standard output; once.
    pub fn stdout(&mut self) -> std::process::ChildStdout {
        self.child.stdout.take().expect("standard output was piped and not taken before")
    }

    /// The lines of its piped standard output, read in the background, so that it never blocks on a full pipe; once.
    #[must_use]
    pub fn lines(&mut self) -> Receiver<String> {
        let (send, receive) = mpsc::channel();
        let stdout = self.stdout();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        receive
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// With what it printed, if it does not end within `bound`.
    pub fn wait(&mut self, bound: Duration) -> ExitStatus {
        let start = std::time::Instant::now();
        while start.elapsed() < bound {
            if let Some(status) = self.ended() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("{} did not end within {bound:?}; it printed:\n{}", self.name, self.printed())
    }

    /// What it has printed so far.
    #[must_use]
    pub fn printed(&self) -> String {
        let bytes = std::fs::read(&self.output).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Ends it the hard way (`kill -9`) and reaps it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end (SIGTERM).
    pub fn terminate(&self) {
        let sent = Command::new("kill").arg("-TERM").arg(self.id().to_string()).status();
        assert!(sent.expect("kill runs").success(), "{} is gone already", self.name);
    }

    /// CPU time it has used so far, user and system together, in clock ticks of 10 ms.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        cpu_of(self.id())
    }
}

/// CPU time that process `id` has used so far.
#[must_use]
pub fn cpu_of(id: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name in parentheses may hold blanks; what follows starts with field 3, and 14 and 15 are utime and stime.
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.kill();
        }
        if std::thread::panicking() {
            println!("--- {} printed:\n{}\n---", self.name, self.printed());
        }
    }
}

/// A UDP port on 127.0.0.1 that nobody uses right now.
#[must_use]
pub fn free_udp_port() -> u16 {
    free_port()
}

/// A TCP port on 127.0.0.1 that nobody uses right now.
#[must_use]
pub fn free_tcp_port() -> u16 {
    free_port()
}

/// A port that is free for both UDP and TCP. Below the range from which the system takes ports by itself: a port of that
/// range can be gone before the program it is for has opened it. Processes begin at places far apart, and leave room between
/// two ports, because a phone takes the one behind its own too (for TLS).
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..PORTS {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let place = std::process::id().wrapping_mul(7_919).wrapping_add(step * ROOM) % PORTS;
        let port = FIRST_PORT + u16::try_from(place).expect("a small number");
        let both = (UdpSocket::bind(("127.0.0.1", port)), TcpListener::bind(("127.0.0.1", port)));
        if matches!(both, (Ok(_), Ok(_))) {
            return port;
        }
    }
    panic!("no port is free on 127.0.0.1");
}

const FIRST_PORT: u16 = 10_000;
const PORTS: u32 = 10_000;
const ROOM: u32 = 4;

/// Waits until some process has bound `port` for `udp` or listens on it with TCP; looks at the kernel's table, so that
/// the peer sees no stray packet.
pub fn wait_for_port(process: &mut Process, udp: bool, port: u16) {
    let table = if udp { "/proc/net/udp" } else { "/proc/net/tcp" };
    let wanted = format!(":{port:04X} ");
    let name = process.name.clone();
    wait::until(&format!("{name} to open port {port}"), wait::SOON, || {
        if let Some(status) = process.ended() {
            panic!("{name} ended with {status} instead of listening; it printed:\n{}", process.printed());
        }
        let rows = std::fs::read_to_string(table).unwrap_or_default();
        rows.lines()
            .skip(1)
            .any(|row| local_end(row).is_some_and(|end| format!("{end} ").ends_with(&wanted)))
            .then_some(())
    });
}

/// The local address column of a row of the kernel's socket table.
fn local_end(row: &str) -> Option<&str> {
    row.split_whitespace().nth(1)
}
