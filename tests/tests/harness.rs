//! The other ends of the wire, tried against each other: what fails here is not callbox.

use std::time::Duration;

use callbox_tests::baresip::Baresip;
use callbox_tests::lab::Lab;
use callbox_tests::peers;
use callbox_tests::sipp::Sipp;

/// Runs a calling scenario against an answering one.
fn pair(caller: impl FnOnce(Sipp) -> Sipp, callee: impl FnOnce(Sipp) -> Sipp, names: (&str, &str)) {
    if !peers::have_sipp() {
        return;
    }
    let lab = Lab::new();
    let answering = callee(Sipp::new(names.1, lab.path()).with(&["-d", "100"])).answer();
    let target = format!("127.0.0.1:{}", answering.port);
    let calling = caller(Sipp::new(names.0, lab.path()).with(&["-d", "100"])).call(&target);
    calling.finish();
    answering.finish();
}

#[test]
fn sipp_scenarios_fit_each_other() {
    pair(|s| s, |s| s, ("uac_hangup", "uas_answer"));
    pair(|s| s, |s| s.set("BYE_HEADER", "Reason: Q.850;cause=16"), ("uac_answered", "uas_answer_bye"));
    let elsewhere = "Reason: SIP;cause=200;text=\"Call completed elsewhere\"";
    pair(|s| s.set("CANCEL_HEADER", elsewhere), |s| s.set("EXPECT", "cause=200"), ("uac_cancel", "uas_ring"));
    pair(|s| s.set("STATUS", "603"), |s| s.set("FINAL", "603 Decline"), ("uac_rejected", "uas_reject"));
}

#[test]
fn baresip_answers_and_hangs_up() {
    if !peers::have_sipp() || !peers::have_baresip() {
        return;
    }
    let lab = Lab::new();
    let mut phone = Baresip::start(lab.path(), Duration::from_secs(60));
    let caller = Sipp::new("uac_answered", lab.path()).call(&format!("127.0.0.1:{}", phone.port));
    phone.wait("CALL_INCOMING");
    phone.accept();
    phone.wait("CALL_ESTABLISHED");
    phone.hangup();
    caller.finish();
}

#[test]
fn baresip_calls_and_cancels() {
    if !peers::have_sipp() || !peers::have_baresip() {
        return;
    }
    let lab = Lab::new();
    let callee = Sipp::new("uas_ring", lab.path()).answer();
    let mut phone = Baresip::start(lab.path(), Duration::from_secs(60));
    phone.dial(&callee.uri());
    phone.wait("CALL_RINGING");
    phone.hangup();
    callee.finish();
}
