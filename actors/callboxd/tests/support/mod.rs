//! The daemon as a process and its control API over a plain socket.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Far longer than anything here takes.
pub const BOUND: Duration = Duration::from_secs(30);

/// `callboxd` with arguments.
pub fn callboxd(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callboxd"));
    command.args(args).env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// Runs it to its end: exit code and what it said on stderr.
pub fn run(args: &[&str]) -> (i32, String) {
    let output = callboxd(args).output().expect("callboxd starts");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A running `callboxd serve` on free ports. Killed when dropped; then every call it recorded is decided again.
pub struct Daemon {
    child: Child,
    store: PathBuf,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    /// Where it speaks SIP over UDP.
    pub udp: SocketAddr,
    /// Where it speaks HTTP.
    pub http: SocketAddr,
    /// Where it takes HEP, if it does.
    pub hep: Option<SocketAddr>,
}

impl Daemon {
    /// Starts it with `store` and more flags, and waits until it is ready.
    pub fn start(store: &Path, more: &[&str]) -> Self {
        let mut command = callboxd(&["serve", "--listen", "udp:127.0.0.1:0", "--http", "127.0.0.1:0"]);
        command
            .arg("--store")
            .arg(store)
            .args(more)
            .env("RUST_LOG", "debug,actix_server=warn,actix_http=warn,sled=warn");
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("callboxd starts");
        let stdout = lines(child.stdout.take().expect("piped"));
        let stderr = lines(child.stderr.take().expect("piped"));
        let Ok(ready) = stdout.recv_timeout(BOUND) else {
            let said: Vec<String> = stderr.iter().collect();
            panic!("callboxd did not get ready: {}", said.join("\n"));
        };
        let place = |kind: &str| {
            let place = ready.split(' ').find_map(|word| word.strip_prefix(kind));
            place.map(|place| place.parse().expect("an address"))
        };
        assert!(ready.starts_with("ready "), "{ready}");
        let (udp, http, hep) = (place("udp:").expect("udp:"), place("http:").expect("http:"), place("hep:"));
        Self { udp, http, hep, store: store.to_owned(), child, stdout, stderr }
    }

    /// Ends it gracefully; its status and everything it logged.
    pub fn stop(mut self) -> (ExitStatus, String) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("a signal");
        // Its output ends when it does.
        let said: Vec<String> = self.stderr.iter().collect();
        assert!(self.stdout.recv_timeout(BOUND).is_err(), "the ready line is the only one on stdout");
        (self.child.wait().expect("its end"), said.join("\n"))
    }

    /// A request with a JSON body, or none if it is empty.
    pub fn request(&self, method: &str, path: &str, body: &str) -> Answer {
        self.raw(method, path, "Content-Type: application/json\r\n", body)
    }

    /// A request with further header lines.
    pub fn raw(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.http).expect("the API");
        stream.set_read_timeout(Some(BOUND)).expect("a timeout");
        let (host, length) = (self.http, body.len());
        let host = if headers.contains("Host:") { String::new() } else { format!("Host: {host}\r\n") };
        let head = format!(
            "{method} {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        // A server that refuses early may close before everything is written.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        Answer::parse(&String::from_utf8_lossy(&text))
    }

    /// GET; the body of a 200.
    pub fn get(&self, path: &str) -> Value {
        let answer = self.request("GET", path, "");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// Follows the notifications.
    pub fn events(&self, query: &str, headers: &str) -> Events {
        let mut stream = TcpStream::connect(self.http).expect("the API");
        stream.set_read_timeout(Some(BOUND)).expect("a timeout");
        let host = self.http;
        write!(stream, "GET /v1/events{query} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n").expect("sent");
        let mut events = Events { lines: BufReader::new(stream) };
        assert!(events.line().contains(" 200 "), "the stream begins");
        events.until(|line| line == "retry: 1000");
        events
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        callbox_store::testing::rerun::check_left_behind(&self.store);
    }
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// What the API answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header lines.
    pub head: String,
    /// The body.
    pub text: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        let text = if chunked { unchunk(body) } else { body.to_owned() };
        Self { status, head: head.to_owned(), text }
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// The code of an error; the whole shape is checked.
    pub fn error_code(&self) -> String {
        let body = self.json();
        let error = body.get("error").unwrap_or_else(|| panic!("no error in {}", self.text));
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{}", self.text);
        assert!(error.get("hint").is_some(), "{}", self.text);
        error["code"].as_str().expect("a code").to_owned()
    }
}

fn unchunk(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).expect("a chunk size");
        text.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
        if size == 0 {
            break;
        }
    }
    text
}

/// An event stream. Chunk sizes stand on lines of their own and are passed over.
pub struct Events {
    lines: BufReader<TcpStream>,
}

/// One event.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its id: the global sequence number.
    pub id: u64,
    /// The notification's name.
    pub name: String,
    /// Its data.
    pub data: Value,
}

impl Events {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line in time");
        assert!(!line.is_empty(), "the stream ended");
        line.trim_end().to_owned()
    }

    fn until(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let line = self.line();
            if wanted(&line) {
                return line;
            }
        }
    }

    fn field(&mut self, name: &str) -> String {
        let line = self.until(|line| line.starts_with(name));
        line[name.len()..].to_owned()
    }

    /// The next event.
    pub fn next(&mut self) -> Event {
        let id = self.field("id: ").parse().expect("a number");
        let name = self.field("event: ");
        let data = serde_json::from_str(&self.field("data: ")).expect("JSON");
        Event { id, name, data }
    }

    /// Events up to and including one of this name.
    pub fn up_to(&mut self, name: &str) -> Vec<Event> {
        let mut seen = Vec::new();
        loop {
            let event = self.next();
            let last = event.name == name;
            seen.push(event);
            if last {
                return seen;
            }
        }
    }
}
