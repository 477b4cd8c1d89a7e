//! A row of the acceptance table: how it is written and how it is run.

use callbox_tests::cli::Cli;
use callbox_tests::daemon::{Daemon, Serve};
use callbox_tests::events::Events;
use callbox_tests::json::lacks;
use callbox_tests::lab::Lab;
use callbox_tests::peers;
use callbox_tests::sipp::{Peer, Sipp};
use serde_json::{Value, json};

/// T1 of the engine under test in milliseconds, and so a patience (64·T1) of 2.56 s. SIPp's own T1 stays at 500 ms.
const T1: &str = "40";

/// Longer than the patience: how long a SIPp that plays dead stays there, in milliseconds.
pub const OUTLIVES_PATIENCE: &str = "4000";

/// Which side of the call the engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Caller,
    Callee,
}

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    id: &'static str,
    side: Side,
    scenario: &'static str,
    placeholders: Vec<(&'static str, &'static str)>,
    pause: &'static str,
    serve: Vec<&'static str>,
    place: Value,
    tcp: bool,
    acts: Vec<(&'static str, &'static str, Value)>,
    notified: &'static str,
    verdict: Value,
}

/// A row in which the engine is A, the caller, and SIPp plays `scenario`.
pub fn at_a(id: &'static str, scenario: &'static str) -> Row {
    Row::new(id, Side::Caller, scenario)
}

/// A row in which the engine is B, the called side, and SIPp plays `scenario`.
pub fn at_b(id: &'static str, scenario: &'static str) -> Row {
    Row::new(id, Side::Callee, scenario)
}

impl Row {
    fn new(id: &'static str, side: Side, scenario: &'static str) -> Self {
        let serve = vec!["--t1", T1, "--incoming", "ring"];
        Self {
            id,
            side,
            scenario,
            placeholders: Vec::new(),
            pause: "150",
            serve,
            place: json!({}),
            tcp: false,
            acts: Vec::new(),
            notified: "",
            verdict: json!({}),
        }
    }

    /// Fills a placeholder of the peer's scenario.
    pub fn peer(mut self, placeholder: &'static str, value: &'static str) -> Self {
        self.placeholders.push((placeholder, value));
        self
    }

    /// How long the peer's pause lasts, in milliseconds.
    pub fn pause(mut self, milliseconds: &'static str) -> Self {
        self.pause = milliseconds;
        self
    }

    /// More flags of the daemon.
    pub fn serve(mut self, flags: &[&'static str]) -> Self {
        self.serve.extend(flags);
        self
    }

    /// More members of the order to place the call.
    pub fn place(mut self, members: Value) -> Self {
        self.place = members;
        self
    }

    /// Over TCP.
    pub fn tcp(mut self) -> Self {
        self.tcp = true;
        self
    }

    /// What the user does when this notification comes: a verb of the control API and its body.
    pub fn when(mut self, notification: &'static str, verb: &'static str, body: Value) -> Self {
        self.acts.push((notification, verb, body));
        self
    }

    /// The user hangs up when this notification comes.
    pub fn hangup_when(self, notification: &'static str) -> Self {
        self.when(notification, "hangup", json!({"origin": "user"}))
    }

    /// The user answers at once.
    pub fn accepted(self) -> Self {
        self.when("ringing", "accept", json!({}))
    }

    /// All the application is told, in order.
    pub fn notified(mut self, names: &'static str) -> Self {
        self.notified = names;
        self
    }

    /// What the record must say; more members may be there.
    pub fn verdict(mut self, expected: Value) -> Self {
        self.verdict = expected;
        self
    }

    /// Plays the row and checks the record.
    pub fn run(self) {
        if !peers::have_sipp() {
            return;
        }
        let lab = Lab::new();
        let daemon = Serve::new(&lab).with(&self.serve).start();
        let mut events = daemon.events(0);
        let (call, peer) = match self.side {
            Side::Caller => {
                let peer = self.sipp(&lab).answer();
                (self.place_call(&daemon, &peer.uri()), peer)
            }
            Side::Callee => {
                let port = if self.tcp { daemon.ready.tcp } else { daemon.ready.udp };
                let peer = self.sipp(&lab).call(&format!("127.0.0.1:{port}"));
                (events.incoming(), peer)
            }
        };
        self.play(daemon, &mut events, &call, Some(peer), &lab);
    }

    /// Plays a row at A whose peer never says a word.
    pub fn run_into_silence(self) {
        let lab = Lab::new();
        let silence = std::net::UdpSocket::bind("127.0.0.1:0").expect("loopback has free ports");
        let port = silence.local_addr().expect("a bound socket has an address").port();
        let daemon = Serve::new(&lab).with(&self.serve).start();
        let mut events = daemon.events(0);
        let call = self.place_call(&daemon, &format!("sip:bob@127.0.0.1:{port}"));
        self.play(daemon, &mut events, &call, None, &lab);
    }

    fn sipp(&self, lab: &Lab) -> Sipp {
        let sipp = Sipp::new(self.scenario, lab.path()).with(&["-d", self.pause]);
        let sipp = self.placeholders.iter().fold(sipp, |sipp, (name, value)| sipp.set(name, value));
        if self.tcp { sipp.tcp() } else { sipp }
    }

    fn place_call(&self, daemon: &Daemon, uri: &str) -> String {
        let to = if self.tcp { format!("{uri};transport=tcp") } else { uri.to_owned() };
        let mut order = json!({"to": to, "from": "sip:alice@127.0.0.1"});
        for (member, value) in self.place.as_object().expect("an object") {
            order[member] = value.clone();
        }
        daemon.api().place(&order)
    }

    fn play(&self, daemon: Daemon, events: &mut Events, call: &str, peer: Option<Peer>, lab: &Lab) {
        for (notification, verb, body) in &self.acts {
            events.wait(call, notification);
            daemon.api().command(call, verb, body);
        }
        events.wait(call, "released");
        if let Some(peer) = peer {
            peer.finish();
        }
        let cli = Cli::store(&lab.store());
        self.check_notifications(events, call);
        self.check_verdict(&daemon.api().why(call));
        check_hangup_is_idempotent(&daemon, &cli, call);
        assert_eq!(cli.why(call), daemon.api().why(call), "{}: `callbox why` beside a live engine", self.id);
        let live = check_record(&cli, call);
        let why = daemon.api().why(call);
        daemon.stop();
        assert_eq!(cli.why(call), why, "{}: `callbox why` from the journal alone", self.id);
        assert_eq!(
            check_record(&cli, call),
            live,
            "{}: the journal says the same when nobody holds it",
            self.id
        );
    }

    /// I1, I2 and the order that the row asks for.
    fn check_notifications(&self, events: &Events, call: &str) {
        let told: Vec<String> = events.names(call).into_iter().filter(|name| name != "media").collect();
        let expected: Vec<&str> = self.notified.split_whitespace().collect();
        assert_eq!(told, expected, "{}: what the application was told", self.id);
        let numbers: Vec<u64> = events.seen().iter().map(|notification| notification.seq).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{}: numbers rise strictly (I9): {numbers:?}", self.id);
    }

    fn check_verdict(&self, why: &Value) {
        let verdict = &why["verdict"];
        let local = if self.side == Side::Caller { "caller" } else { "callee" };
        assert_eq!(why["local_side"], local, "{}", self.id);
        assert_ne!(verdict["family"], "unknown", "{}: I5", self.id);
        let differences = lacks(&self.verdict, verdict);
        let shown = serde_json::to_string_pretty(verdict).unwrap_or_default();
        assert!(differences.is_empty(), "{}: {}\nin {shown}", self.id, differences.join("\n"));
        for language in ["en", "zh"] {
            let sentence = verdict["summary"][language].as_str().unwrap_or_default();
            assert!(!sentence.trim().is_empty(), "{}: no sentence in {language}", self.id);
        }
        let evidence = verdict["evidence"].as_array().map_or(0, Vec::len);
        assert!(evidence > 0, "{}: a verdict names its evidence", self.id);
    }
}

/// I6: a hang-up of an ended call changes nothing.
fn check_hangup_is_idempotent(daemon: &Daemon, cli: &Cli, call: &str) {
    let before = cli.show(call).len();
    let again = daemon.api().post(&format!("/v1/calls/{call}/hangup"), &json!({"origin": "user"}));
    assert_eq!((again.status, &again.body["outcome"]), (202, &json!("already_ended")), "{}", again.text);
    assert_eq!(cli.show(call).len(), before, "a hang-up of an ended call is no event");
}

/// I4 (replay gives what was recorded), I9 (numbers without gaps), the list, the chart; returns the recorded events.
fn check_record(cli: &Cli, call: &str) -> Vec<Value> {
    cli.assert_sound();
    let events = cli.show(call);
    let numbers: Vec<u64> = events.iter().filter_map(|event| event["call_seq"].as_u64()).collect();
    let first = numbers.first().copied().unwrap_or_default();
    let gapless: Vec<u64> = (first..).take(events.len()).collect();
    assert_eq!(numbers, gapless, "a call's events are numbered without gaps");
    let listed = cli.list();
    let ours: Vec<&Value> = listed.iter().filter(|row| row["call_id"] == call).collect();
    assert_eq!(ours.len(), 1, "the list has the call once: {listed:?}");
    assert_eq!(ours[0]["phase"], "ended", "{}", ours[0]);
    assert!(!ours[0]["cause"].is_null() && !ours[0]["ended_at"].is_null(), "{}", ours[0]);
    assert!(cli.text(&["ladder", call]).contains("INVITE"), "the chart shows the INVITE");
    events
}
