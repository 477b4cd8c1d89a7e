//! The engine under torture, and what it may answer.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use callbox_tests::cli::Cli;
use callbox_tests::daemon::{Daemon, Serve};
use callbox_tests::lab::Lab;
use callbox_tests::probe::{Probe, Request, header, status_of};
use callbox_tests::wait;

/// How long an answer may take before it counts as none. The engine is then asked for a sign of life, which comes after
/// everything before it, so silence is not a matter of luck.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a message must cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// A final response with one of these codes.
    Status(&'static [u16]),
    /// A final response that does not call the message malformed.
    Understood,
    /// A final response, whichever.
    Answer,
    /// No response at all.
    Silence,
    /// Nothing in particular: the RFC leaves it open.
    Open,
}

impl Expect {
    /// Whether `status` (none: no response) is what was asked for.
    pub fn fits(self, status: Option<u16>) -> bool {
        match self {
            Self::Status(codes) => status.is_some_and(|status| codes.contains(&status)),
            Self::Understood => status.is_some_and(|status| status != 400 && status < 700),
            Self::Answer => status.is_some_and(|status| (200..700).contains(&status)),
            Self::Silence => status.is_none(),
            Self::Open => true,
        }
    }
}

/// An engine that refuses every call with 486.
pub struct Target {
    /// The running engine.
    pub daemon: Daemon,
    lab: Lab,
    probe: Probe,
    asked: AtomicU32,
}

impl Target {
    /// Starts one. The short T1 lets transactions end while the test runs.
    pub fn new() -> Self {
        let lab = Lab::new();
        let daemon = Serve::new(&lab).hurried().with(&["--incoming", "busy"]).start();
        let probe = Probe::new(daemon.ready.udp);
        Self { daemon, lab, probe, asked: AtomicU32::new(0) }
    }

    /// A label that no message had before.
    pub fn label(&self) -> String {
        format!("n{}", self.asked.fetch_add(1, Ordering::Relaxed))
    }

    /// The engine answers OPTIONS, is healthy by HTTP, and a call takes its normal course: INVITE, 486, ACK.
    pub fn assert_well(&self, after: &str) {
        assert!(self.probe.alive(&self.label()), "no answer to OPTIONS after {after}");
        assert!(self.daemon.api().healthy(), "not healthy after {after}");
        let label = self.label();
        let invite = Request::new("INVITE", self.probe.address(), &label).offer();
        self.probe.send(invite.text().as_bytes());
        let answer = self.probe.final_response(&invite.branch, wait::SOON);
        let answer = answer.unwrap_or_else(|| panic!("no answer to a normal call after {after}"));
        assert_eq!(status_of(&answer), Some(486), "a normal call after {after}: {answer}");
        let mut ack = Request::new("ACK", self.probe.address(), &label);
        ack.branch = invite.branch;
        ack.to_tag =
            header(&answer, "To").and_then(|to| to.split_once(";tag=")).map(|(_, tag)| tag.to_owned());
        self.probe.send(ack.text().as_bytes());
    }

    /// Stops the engine and checks its journal: nothing is damaged, every call has an end and a verdict.
    pub fn finish(self) {
        let Self { daemon, lab, .. } = self;
        daemon.stop();
        let cli = Cli::store(&lab.store());
        cli.assert_sound();
        for call in cli.list() {
            assert!(!call["ended_at"].is_null() && !call["cause"].is_null(), "a call without an end: {call}");
        }
    }
}

/// A place on loopback whose default SIP ports are all ours, so that an answer to the sent-by of any message comes back
/// here: `127.x.y.5:5060` and the other ports that the messages of the RFCs name.
pub struct Sender {
    sockets: Vec<UdpSocket>,
}

impl Sender {
    /// The ports of the messages' sent-by values.
    const PORTS: [u16; 6] = [5060, 5050, 5061, 5070, 6050, 19_823];

    /// A fresh address for each message, so that no late answer to another one is taken for its own.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        for _ in 0..1000 {
            let number =
                NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id().wrapping_mul(257));
            let [_, _, high, low] = number.to_be_bytes();
            let place = format!("127.77.{high}.{low}");
            let sockets = Self::PORTS.iter().map(|port| UdpSocket::bind((place.as_str(), *port)));
            if let Ok(sockets) = sockets.collect::<Result<Vec<_>, _>>() {
                sockets
                    .iter()
                    .for_each(|socket| socket.set_nonblocking(true).expect("a socket can be switched"));
                return Self { sockets };
            }
        }
        panic!("no free address on loopback")
    }

    /// Sends one datagram from port 5060.
    pub fn send(&self, port: u16, datagram: &[u8]) {
        self.sockets[0].send_to(datagram, ("127.0.0.1", port)).expect("loopback takes it");
    }

    /// The first final response on any of the ports within `bound`.
    pub fn answer(&self, bound: Duration) -> Option<String> {
        let end = Instant::now() + bound;
        let mut buffer = vec![0_u8; 65_536];
        loop {
            for socket in &self.sockets {
                let Ok((count, _)) = socket.recv_from(&mut buffer) else { continue };
                let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
                if status_of(&text).is_some_and(|status| status >= 200) {
                    return Some(text);
                }
            }
            if Instant::now() >= end {
                return None;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Sends one datagram and checks the answer, then that the engine is well. The text of the answer, if one came.
pub fn torture(
    target: &Target,
    name: &str,
    datagram: &[u8],
    expect: Expect,
) -> Result<Option<String>, String> {
    let sender = Sender::new();
    sender.send(target.daemon.ready.udp, datagram);
    let silent = matches!(expect, Expect::Silence | Expect::Open);
    let answer = if silent {
        // Whatever the engine had to say, it says before it answers what was sent later.
        target.assert_well(name);
        sender.answer(Duration::from_millis(20))
    } else {
        sender.answer(PATIENCE)
    };
    target.assert_well(name);
    let status = answer.as_deref().and_then(status_of);
    if expect.fits(status) { Ok(answer) } else { Err(format!("{name}: expected {expect:?}, got {status:?}")) }
}

/// Fails with all deviations at once.
pub fn assert_none(deviations: &[String]) {
    assert!(deviations.is_empty(), "{} deviations:\n{}", deviations.len(), deviations.join("\n"));
}
