//! The engine's disk fills up under running calls: new calls get 503 with Retry-After and leave no record, running ones
//! go on to their end and are recorded once there is room, nothing acknowledged is lost, with and without a kill -9 in
//! the middle.
//!
//! It takes a small disk of its own: a tmpfs, where mounting is allowed. Elsewhere that is said and the test ends.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use callbox_store::testing::disk::SmallDisk;
use callbox_tests::cli::Cli;
use callbox_tests::daemon::{Daemon, Serve};
use callbox_tests::lab::Lab;
use callbox_tests::peers;
use callbox_tests::probe::{Probe, Request, header, status_of};
use callbox_tests::rng::Rng;
use callbox_tests::sipp::{Peer, Sipp};
use callbox_tests::wait;

/// Room for a step of the write-ahead log (4 MiB), for sled, and for what sled wants to be left.
const DISK_BYTES: u64 = 24 * 1024 * 1024;

/// Calls of SIPp's that are in conversation when the disk fills up, and for how long they talk (ms).
const RUNNING: (usize, u32) = (20, 10_000);

/// The engine, its small disk, and calls that run on it.
struct Scene {
    disk: SmallDisk,
    lab: Lab,
    daemon: Daemon,
    running: Peer,
    messages: PathBuf,
    pump: Pump,
}

impl Scene {
    /// With all calls connected; none where no disk can be mounted, or there is no SIPp.
    fn new() -> Option<Self> {
        if !peers::have_sipp() {
            return None;
        }
        let disk = match SmallDisk::mount(DISK_BYTES) {
            Ok(disk) => disk,
            Err(why) => {
                println!("skipped: no small disk can be mounted here: {why}");
                return None;
            }
        };
        let lab = Lab::new();
        let daemon = Self::serve(&lab, disk.path().join("store"), 0);
        let messages = lab.path().join("running.messages");
        let (count, talk) = RUNNING;
        let load = format!(
            "-m {count} -r 100 -d {talk} -timeout 90s -trace_msg -message_file {}",
            messages.display()
        );
        let load: Vec<&str> = load.split(' ').collect();
        let running = Sipp::new("uac_hangup", lab.path()).with(&load).call(&daemon.udp());
        let pump = Pump::connect(&daemon);
        let connected =
            || daemon.api().calls(true).iter().filter(|call| call["phase"] == "connected").count();
        wait::until("every call to be connected", wait::SOON, || (connected() > RUNNING.0).then_some(()));
        Some(Self { disk, lab, daemon, running, messages, pump })
    }

    fn serve(lab: &Lab, store: PathBuf, port: u16) -> Daemon {
        Serve::new(lab).journal(store).on(port).with(&["--incoming", "answer"]).start()
    }

    fn store(&self) -> PathBuf {
        self.disk.path().join("store")
    }

    fn cli(&self) -> Cli {
        Cli::store(&self.store())
    }

    /// Fills the disk until neither copy of the journal can grow, and waits until SIPp wants to end all its calls: no end
    /// can be recorded now, so none is answered.
    fn fill(&mut self) {
        self.disk.fill();
        self.pump.until_nothing_is_recorded(&self.daemon);
        let ends = || {
            let messages = std::fs::read_to_string(&self.messages).unwrap_or_default();
            messages.lines().filter(|line| line.starts_with("BYE sip:")).count()
        };
        let bound = Duration::from_millis(RUNNING.1.into()) + wait::SOON;
        wait::until("SIPp to hang up", bound, || (ends() >= RUNNING.0).then_some(()));
        assert!(self.running.process.ended().is_none(), "no end is answered before it is durable");
    }

    fn refuses_new_calls(&self) {
        let refusal = invite(&Probe::new(self.daemon.ready.udp), "refused");
        assert_eq!(status_of(&refusal), Some(503), "{refusal}");
        let seconds = header(&refusal, "Retry-After").and_then(|value| value.parse::<u32>().ok());
        assert!(seconds.is_some_and(|seconds| seconds > 0), "{refusal}");
    }

    /// The end of the story, once there is room: SIPp's calls come to their regular end, new calls are taken, and all of
    /// it is on record.
    fn settle(self) {
        let Self { disk, lab, daemon, running, pump, .. } = self;
        running.finish_within(Duration::from_secs(60));
        let answered = || {
            let status = status_of(&invite(&Probe::new(daemon.ready.udp), "late"));
            (status == Some(200)).then_some(())
        };
        wait::until("a new call to be taken", wait::SOON, answered);
        drop(pump);
        daemon.stop();
        let cli = Cli::store(&disk.path().join("store"));
        cli.assert_sound();
        let calls = cli.list();
        let hung_up =
            calls.iter().filter(|call| call["cause"] == "hangup" && call["side"] == "caller").count();
        assert_eq!(hung_up, RUNNING.0, "every end is on record");
        let recorded = |label: &str| calls.iter().any(|call| call["sip_call_id"] == format!("{label}@probe"));
        assert!(recorded("pump") && recorded("late") && !recorded("refused"), "{calls:#?}");
        drop((lab, disk));
    }
}

/// Calls the engine; the final response.
fn invite(probe: &Probe, label: &str) -> String {
    let invite = Request::new("INVITE", probe.address(), label).offer();
    probe.send(invite.text().as_bytes());
    let answer = probe.final_response(&invite.branch, wait::SOON);
    answer.unwrap_or_else(|| panic!("no final response to the INVITE of {label}"))
}

/// A call that changes its session again and again, with descriptions that can't be packed: what is recorded of it fills
/// the room that the write-ahead log was allotted while there still was some.
struct Pump {
    probe: Probe,
    to_tag: String,
    rng: Rng,
    cseq: u32,
}

impl Pump {
    fn connect(daemon: &Daemon) -> Self {
        let probe = Probe::new(daemon.ready.udp);
        let answer = invite(&probe, "pump");
        let to = header(&answer, "To").unwrap_or_default();
        let to_tag = to.split_once(";tag=").map(|(_, tag)| tag.to_owned());
        let to_tag = to_tag.unwrap_or_else(|| panic!("not answered: {answer}"));
        let mut pump = Self { probe, to_tag, rng: Rng::new(1), cseq: 1 };
        pump.acknowledge();
        pump
    }

    fn request(&mut self, method: &str) -> Request {
        let mut request = Request::new(method, self.probe.address(), "pump");
        request.branch = format!("z9hG4bK-pump-{method}-{}", self.cseq);
        (request.cseq, request.to_tag) = (self.cseq, Some(self.to_tag.clone()));
        request
    }

    fn acknowledge(&mut self) {
        let ack = self.request("ACK");
        self.probe.send(ack.text().as_bytes());
    }

    /// Goes on until the engine's log says that the write-ahead log has no room.
    fn until_nothing_is_recorded(&mut self, daemon: &Daemon) {
        for _ in 0..1_000 {
            self.cseq += 1;
            let mut change = self.request("INVITE").offer();
            for _ in 0..400 {
                let noise = [self.rng.bits(), self.rng.bits(), self.rng.bits()];
                writeln!(change.body, "a=x-noise:{:016x}{:016x}{:016x}\r", noise[0], noise[1], noise[2])
                    .unwrap();
            }
            self.probe.send(change.text().as_bytes());
            while self.probe.final_response(&change.branch, Duration::from_millis(200)).is_none() {
                if daemon.process.printed().contains("side=Log") {
                    return;
                }
            }
            self.acknowledge();
        }
        panic!("the write-ahead log never fills up; the engine printed:\n{}", daemon.process.printed());
    }
}

#[test]
fn a_full_disk_is_waited_out_by_running_calls_and_new_ones_are_sent_away() {
    let Some(mut scene) = Scene::new() else { return };
    scene.fill();
    scene.refuses_new_calls();
    let listed = scene.cli().list();
    let live = listed.iter().filter(|call| call["phase"] == "connected").count();
    assert_eq!((listed.len(), live), (RUNNING.0 + 1, RUNNING.0 + 1), "it is read meanwhile");
    scene.disk.make_room();
    scene.settle();
}

#[test]
fn an_engine_that_is_killed_on_a_full_disk_has_lost_nothing_it_acknowledged() {
    let Some(mut scene) = Scene::new() else { return };
    scene.fill();
    let port = scene.daemon.ready.udp;
    scene.daemon.process.kill();
    scene.disk.make_room();
    // Every call is found in conversation and goes on; SIPp still repeats its BYEs.
    scene.daemon = Scene::serve(&scene.lab, scene.store(), port);
    scene.settle();
}
