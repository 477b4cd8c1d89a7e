//! A daemon with a signing key: what its journal proves once it has ended.

#![allow(clippy::expect_used, reason = "a failure here is the failure of a test")]

mod support;

use std::path::Path;

use callbox_store::proof::coverage::Coverage;
use callbox_store::proof::key::{PublicKey, SigningKey};
use callbox_store::verify::{Brought, verify_with};
use callbox_store::{reader, seal};
use support::{Daemon, run};

/// A key in a file, as the option wants it; its public half.
fn key(dir: &Path) -> (String, PublicKey) {
    let key = SigningKey::from_seed("callbox.example/daemon", &[3; 32]).expect("a good name");
    let path = dir.join("callbox.key");
    std::fs::write(&path, key.to_private_text()).expect("written");
    (path.display().to_string(), key.public().clone())
}

#[test]
fn what_a_daemon_recorded_and_when_it_listened_is_signed_at_its_end() {
    let dir = tempfile::tempdir().expect("a directory");
    let (file, public) = key(dir.path());
    let store = dir.path().join("a");
    let a = Daemon::start(&store, &["--signing-key", &file, "--checkpoint-interval", "0", "--t1", "20"]);
    let b = Daemon::start(&dir.path().join("b"), &["--incoming", "busy", "--t1", "20"]);
    let mut events = a.events("?from=0", "");
    let body = format!("{{\"to\":\"sip:bob@{}\",\"from\":\"sip:alice@127.0.0.1\"}}", b.udp);
    assert_eq!(a.request("POST", "/v1/calls", &body).status, 201);
    events.up_to("ended");
    let address = format!("udp:{}", a.udp);
    for daemon in [a, b] {
        assert_eq!(daemon.stop().0.code(), Some(0));
    }

    let brought = Brought { keys: vec![public.clone()], checkpoints: Vec::new() };
    let report = verify_with(&store, &brought, &mut |_| {}).expect("a store");
    assert_eq!(report.damages, []);
    let vouched = report.seals.vouched.expect("signed");
    assert_eq!((vouched.commits, vouched.events), (report.commits, report.events));
    assert_eq!(vouched.events, reader::open(&store).expect("a store").tail().expect("its end").seq());

    let keys = [public];
    let mut coverage = Coverage::new(None, None, &keys);
    seal::kept(&store).expect("checkpoints").for_each(|entry| coverage.add(&entry.expect("a checkpoint")));
    let (intervals, gaps) = coverage.finish();
    assert_eq!((intervals.len(), gaps.len()), (1, 0), "{intervals:?}");
    let interval = &intervals[0];
    assert_eq!((&interval.listening[..], interval.signed), (&[address][..], true));
    assert!(interval.received >= 1 && interval.sent >= 2, "the 486; INVITE and ACK: {interval:?}");
}

#[test]
fn a_key_that_is_none_is_refused_with_a_remedy() {
    let dir = tempfile::tempdir().expect("a directory");
    let (file, public) = key(dir.path());
    std::fs::write(&file, public.to_string()).expect("written");
    let store = dir.path().join("store").display().to_string();
    let (code, said) =
        run(&["serve", "--store", &store, "--listen", "udp:127.0.0.1:0", "--signing-key", &file]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("holds no private key") && said.contains("callbox key new"), "{said}");
}
