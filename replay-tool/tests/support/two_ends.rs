//! Two ends of the same calls, by clocks that differ by 250 ms.

use std::time::Duration;

use callbox_events::call::Command;
use callbox_events::schema::Commit;
use callbox_events::sip::{Counters, Reason};

use super::Store;
use super::story::Story;

/// The SIP Call-ID of the call that Bob hangs up.
pub const CALL_ID: &str = "a84b4c76e66710@127.0.0.1";

/// Bob's record of [`bob_hangs_up`](super::stories::bob_hangs_up), by a clock that is 250 ms ahead.
pub fn bobs_record() -> Vec<Commit> {
    let record = Story::other_end(0, CALL_ID, "alice@127.0.0.1", "bob@127.0.0.1:5070")
        .command(10, Command::Ring, "SIP/2.0 180 Ringing", false)
        .command(3_180, Command::Accept, "SIP/2.0 200 OK", true)
        .ack(3_215)
        .hangup(15_630, "BYE sip:alice@127.0.0.1:5060 SIP/2.0")
        .bye_answered(15_665)
        .drained(20_665, Counters::default());
    ahead(record.commits(), 250)
}

fn ahead(mut commits: Vec<Commit>, ms: u64) -> Vec<Commit> {
    for commit in &mut commits {
        commit.at = commit.at + Duration::from_millis(ms);
    }
    commits
}

/// Carol declines with 603; on the way to Alice that has become 480.
fn declined_and_changed() -> (Vec<Commit>, Vec<Commit>) {
    let alice = Story::outgoing(60, "changed@127.0.0.1", "alice@127.0.0.1", "carol@127.0.0.1:5070")
        .provisional(40, 180, "Ringing", false)
        .failed(4_060, 480, "Temporarily Unavailable", vec![Reason::q850(20, "Subscriber absent")])
        .drained(9_060, Counters::default());
    let carol = Story::other_end(60, "changed@127.0.0.1", "alice@127.0.0.1", "carol@127.0.0.1:5070")
        .command(20, Command::Ring, "SIP/2.0 180 Ringing", false)
        .hangup(4_030, "SIP/2.0 603 Decline")
        .drained(9_030, Counters::default());
    (alice.commits(), ahead(carol.commits(), 250))
}

/// Alice's store, and Bob's and Carol's.
pub fn two_stores() -> (Store, Store) {
    let (alice, carol) = declined_and_changed();
    let of_a = [super::stories::bob_hangs_up(), alice, super::stories::nobody_answers()];
    (Store::of(of_a.map(with_parties)), Store::of([bobs_record(), carol].map(with_parties)))
}

/// The messages with From and To, so that whoever sees them pass can read them.
fn with_parties(mut commits: Vec<Commit>) -> Vec<Commit> {
    let (alice, other) = ("<sip:alice@127.0.0.1>;tag=ours", "<sip:other@127.0.0.1>");
    for wire in commits.iter_mut().flat_map(|commit| &mut commit.wire) {
        let text = String::from_utf8(wire.bytes.clone()).unwrap();
        let (line, rest) = text.split_once("\r\n").unwrap();
        let tag = if line.starts_with("INVITE") || line.starts_with("CANCEL") { "" } else { ";tag=theirs" };
        let (from, to) = (alice.to_owned(), format!("{other}{tag}"));
        // Bob alone hangs up.
        let (from, to) = if rest.contains(" BYE\r\n") { (to, from) } else { (from, to) };
        wire.bytes = format!("{line}\r\nFrom: {from}\r\nTo: {to}\r\n{rest}").into_bytes();
    }
    commits
}
