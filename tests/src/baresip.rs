//! baresip, a real phone without sound, controlled over TCP.
//!
//! baresip 1.0.0: `ausine` runs at 48 kHz only and fails a PCMU call, so audio comes from and goes to `aubridge`;
//! `net_interface` takes an address; its control connection serves one client and does not repeat earlier events;
//! a reject is always a 486.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{self, Process};
use crate::wait;

/// Where Debian puts baresip's modules, by architecture or without.
const MODULE_FOLDERS: [&str; 2] = ["/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules"];

/// A running baresip with one account, `bob`.
#[derive(Debug)]
pub struct Baresip {
    /// The process.
    pub process: Process,
    /// Its SIP port over UDP.
    pub port: u16,
    control: Control,
}

impl Baresip {
    /// Starts one with its configuration in `folder`; it gives up an unanswered incoming call after `patience`.
    #[must_use]
    pub fn start(folder: &Path, patience: Duration) -> Self {
        let home = folder.join("baresip");
        std::fs::create_dir_all(&home).expect("the test's folder is writable");
        let (port, control) = (process::free_udp_port(), process::free_tcp_port());
        let write = |name: &str, text: String| std::fs::write(home.join(name), text).expect("writable");
        write("config", config(port, control, patience));
        write(
            "accounts",
            format!(
                "<sip:bob@127.0.0.1:{port};transport=udp>;regint=0;audio_codecs=pcmu;answermode=manual\n"
            ),
        );
        write("contacts", String::new());
        let mut command = Command::new("baresip");
        command.arg("-4").arg("-f").arg(&home).args(["-t", "120"]);
        let mut process = Process::start("baresip", &mut command, folder, false);
        process::wait_for_port(&mut process, true, port);
        process::wait_for_port(&mut process, false, control);
        Self { process, port, control: Control::connect(control) }
    }

    /// A URI that leads to it.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("sip:bob@127.0.0.1:{}", self.port)
    }

    /// Calls `uri`.
    pub fn dial(&mut self, uri: &str) {
        self.control.send("dial", uri);
    }

    /// Answers the call that rings.
    pub fn accept(&mut self) {
        self.control.send("accept", "");
    }

    /// Ends the current call, whatever its state: reject, cancel or hang up.
    pub fn hangup(&mut self) {
        self.control.send("hangup", "");
    }

    /// Waits for an event such as `CALL_INCOMING`, `CALL_ESTABLISHED`, `CALL_CLOSED`.
    pub fn wait(&mut self, event: &str) -> Value {
        self.control.wait(event)
    }
}

fn config(port: u16, control: u16, patience: Duration) -> String {
    let modules =
        MODULE_FOLDERS.iter().find(|folder| Path::new(folder).is_dir()).unwrap_or(&MODULE_FOLDERS[0]);
    // Ports for media that no other baresip of this machine uses: derived from the SIP port that is ours alone.
    let media = 20_000 + u32::from(port % 1000) * 20;
    [
        format!("sip_listen 127.0.0.1:{port}"),
        format!("call_local_timeout {}", patience.as_secs()),
        "call_max_calls 4".to_owned(),
        "net_interface 127.0.0.1".to_owned(),
        "audio_source aubridge,nil".to_owned(),
        "audio_player aubridge,nil".to_owned(),
        "audio_alert aubridge,nil".to_owned(),
        "ausrc_srate 8000".to_owned(),
        "auplay_srate 8000".to_owned(),
        "ausrc_channels 1".to_owned(),
        "auplay_channels 1".to_owned(),
        format!("rtp_ports {media}-{}", media + 19),
        format!("module_path {modules}"),
        "module g711.so".to_owned(),
        "module aubridge.so".to_owned(),
        "module_tmp uuid.so".to_owned(),
        "module_tmp account.so".to_owned(),
        "module_app contact.so".to_owned(),
        "module_app menu.so".to_owned(),
        "module_app ctrl_tcp.so".to_owned(),
        format!("ctrl_tcp_listen 127.0.0.1:{control}"),
        String::new(),
    ]
    .join("\n")
}

/// JSON in netstrings (`5:hello,`) over TCP.
#[derive(Debug)]
struct Control {
    stream: TcpStream,
    pending: Vec<u8>,
    seen: Vec<Value>,
}

impl Control {
    fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the control port is open");
        Self { stream, pending: Vec::new(), seen: Vec::new() }
    }

    fn send(&mut self, command: &str, parameters: &str) {
        let body = json!({"command": command, "params": parameters, "token": command}).to_string();
        self.stream.write_all(format!("{}:{body},", body.len()).as_bytes()).expect("baresip listens");
    }

    fn wait(&mut self, event: &str) -> Value {
        let end = Instant::now() + wait::SOON;
        let fits = |message: &Value| message["event"] == true && message["type"] == event;
        loop {
            if let Some(index) = self.seen.iter().position(fits) {
                // What came before is over: the next wait is for what follows.
                return self.seen.drain(..=index).next_back().unwrap_or_default();
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {event}; baresip said {:#?}", self.seen);
            self.receive(left);
        }
    }

    fn receive(&mut self, within: Duration) {
        self.stream.set_read_timeout(Some(within)).expect("a positive time");
        let mut buffer = [0_u8; 4096];
        let count = self.stream.read(&mut buffer).unwrap_or(0);
        self.pending.extend_from_slice(&buffer[..count]);
        while let Some((message, used)) = netstring(&self.pending) {
            self.seen.push(serde_json::from_slice(message).expect("baresip speaks JSON"));
            self.pending.drain(..used);
        }
    }
}

/// The first complete netstring of `bytes` and how many bytes it took.
fn netstring(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&bytes[..colon]).ok()?.parse().ok()?;
    let end = colon + 1 + length;
    (bytes.len() > end).then(|| (&bytes[colon + 1..end], end + 1))
}

#[cfg(test)]
mod tests {
    use super::netstring;

    #[test]
    fn a_netstring_is_taken_when_it_is_complete() {
        assert_eq!(netstring(b"5:hel"), None);
        assert_eq!(netstring(b"5:hello"), None);
        assert_eq!(netstring(b"5:hello,3:abc"), Some((&b"hello"[..], 8)));
    }
}
