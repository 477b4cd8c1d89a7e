//! Calls between two SIPps, recorded from the loopback by tshark while they run, then imported and judged.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use callbox_tests::causebench::{Label, label, ours, score, table};
use callbox_tests::lab::Lab;
use callbox_tests::process::{self, Process};
use callbox_tests::sipp::Sipp;
use callbox_tests::{peers, wait};

/// What is made to happen, in the grammar of `tests/causebench`; the call is found by the user that was called.
const LABEL: [&str; 3] = [
    "bob\n  = hangup caller unknown bye connected unknown strong full",
    "bob\n  = busy callee unknown final_response ringing - strong full",
    "bob\n  = cancelled caller unknown cancel ringing - strong full",
];

/// tshark on the loopback.
struct Recorder {
    process: Process,
    lines: Receiver<String>,
    /// What is sent to this port is recorded, too, and shows how far the recording is.
    mark: UdpSocket,
    capture: PathBuf,
}

impl Recorder {
    /// Listens for one SIP port. `None`, said aloud, where this user may not capture.
    fn start(folder: &Path, sip: u16) -> Option<Self> {
        let mut probe = Command::new("dumpcap");
        probe.args(["-q", "-i", "lo", "-a", "duration:1", "-w"]).arg(folder.join("probe.pcapng"));
        let allowed = probe.stdin(Stdio::null()).output();
        if !allowed.is_ok_and(|output| output.status.success()) {
            peers::skip_without_rights(
                "tshark may not capture on the loopback (it can as root, or with CAP_NET_RAW)",
            );
            return None;
        }
        let mark = process::free_udp_port();
        let capture = folder.join("recorded.pcapng");
        let mut command = Command::new("tshark");
        let filter = format!("udp port {sip} or udp port {mark}");
        command.args(["-l", "-P", "-i", "lo", "-f", &filter, "-w"]).arg(&capture);
        let mut process = Process::start("tshark", &mut command, folder, true);
        let lines = process.lines();
        let mark = UdpSocket::bind(("127.0.0.1", mark)).expect("a free port");
        let recorder = Self { process, lines, mark, capture };
        recorder.catch_up("listening");
        Some(recorder)
    }

    /// Until a packet that is sent now has been recorded, and so everything before it.
    fn catch_up(&self, what: &str) {
        while self.lines.try_recv().is_ok() {}
        let port = self.mark.local_addr().expect("a bound socket");
        wait::until(&format!("tshark: {what}"), wait::SOON, || {
            self.mark.send_to(what.as_bytes(), port).expect("the loopback takes datagrams");
            let marked = format!(" {} ", port.port());
            let line = self.lines.recv_timeout(Duration::from_millis(100)).ok()?;
            line.contains(&marked).then_some(())
        });
    }

    /// The capture, whole.
    fn stop(mut self) -> PathBuf {
        self.catch_up("the last packet");
        self.process.terminate();
        let _ = self.process.wait(wait::SOON);
        self.capture.clone()
    }
}

/// Records one call of `caller` to `callee` and compares the verdict with the label.
fn recorded(caller: Sipp, callee: Sipp, lab: &Lab, label: &str) {
    let callee = callee.answer();
    let Some(recorder) = Recorder::start(lab.path(), callee.port) else { return };
    caller.call(&format!("127.0.0.1:{}", callee.port)).finish();
    callee.finish();
    let said = ours::on_capture(&recorder.stop());
    assert_eq!(said.len(), 1, "one call: {said:?}");
    let labels: Vec<Label> = label::read("recorded", label).expect("a label");
    let missed = table::confusions(&score::judge(&labels.iter().collect::<Vec<_>>(), &said), true);
    assert!(missed.is_empty(), "{missed}");
}

fn peers_are_there() -> bool {
    peers::have_sipp() && peers::have("tshark", "tshark")
}

#[test]
fn a_hang_up_is_recorded_and_told() {
    if !peers_are_there() {
        return;
    }
    let lab = Lab::new();
    let sipp = |name: &str| Sipp::new(name, lab.path()).with(&["-d", "300"]);
    recorded(sipp("uac_hangup"), sipp("uas_answer"), &lab, LABEL[0]);
}

#[test]
fn a_busy_phone_is_recorded_and_told() {
    if !peers_are_there() {
        return;
    }
    let lab = Lab::new();
    let sipp = |name: &str| Sipp::new(name, lab.path()).with(&["-d", "300"]);
    let caller = sipp("uac_rejected").set("STATUS", "486");
    recorded(caller, sipp("uas_reject").set("FINAL", "486 Busy Here"), &lab, LABEL[1]);
}

#[test]
fn a_cancelled_call_is_recorded_and_told() {
    if !peers_are_there() {
        return;
    }
    let lab = Lab::new();
    let sipp = |name: &str| Sipp::new(name, lab.path()).with(&["-d", "300"]);
    recorded(sipp("uac_cancel"), sipp("uas_ring"), &lab, LABEL[2]);
}
