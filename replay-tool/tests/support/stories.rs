//! The calls that the tests tell, one for each way a call ends that people ask about most.

use callbox_events::call::{Command, TimerId};
use callbox_events::schema::Commit;
use callbox_events::sip::{Counters, Reason};

use super::story::Story;

const ALICE: &str = "alice@127.0.0.1";
const BOB: &str = "bob@127.0.0.1:5070";

/// Alice calls Bob, they talk, Bob hangs up.
pub fn bob_hangs_up() -> Vec<Commit> {
    Story::outgoing(0, "a84b4c76e66710@127.0.0.1", ALICE, BOB)
        .provisional(40, 180, "Ringing", false)
        .answered(3_200)
        .bye(15_650, vec![Reason::q850(16, "Normal call clearing")])
        .drained(47_650, Counters { sent_again: 1, received_again: 2, stray: 0 })
        .commits()
}

/// Alice gives up while it rings.
pub fn alice_cancels() -> Vec<Commit> {
    Story::outgoing(60, "5f1e77d0c2@127.0.0.1", ALICE, "carol@127.0.0.1:5070")
        .provisional(35, 180, "Ringing", false)
        .hangup(6_010, "CANCEL sip:carol@127.0.0.1:5070 SIP/2.0")
        .cancel_answered(6_030)
        .failed(6_045, 487, "Request Terminated", vec![])
        .drained(11_045, Counters::default())
        .commits()
}

/// Somebody calls us; our user declines.
pub fn we_decline() -> Vec<Commit> {
    Story::incoming(120, "77aa01@192.0.2.7", "+4930123456@192.0.2.7", "alice@127.0.0.1:5060")
        .command(15, Command::Ring, "SIP/2.0 180 Ringing", false)
        .hangup(2_500, "SIP/2.0 603 Decline")
        .drained(7_500, Counters::default())
        .commits()
}

/// Nobody takes it: our own timer ends the attempt.
pub fn nobody_answers() -> Vec<Commit> {
    Story::outgoing(180, "0d93ab51@127.0.0.1", ALICE, "dave@127.0.0.1:5070")
        .provisional(40, 180, "Ringing", false)
        .timer(20_000, TimerId::NoAnswer, "CANCEL sip:dave@127.0.0.1:5070 SIP/2.0")
        .cancel_answered(20_020)
        .failed(20_040, 487, "Request Terminated", vec![])
        .drained(25_040, Counters::default())
        .commits()
}

/// Bob is busy and says so.
pub fn bob_is_busy() -> Vec<Commit> {
    Story::outgoing(240, "b05y@127.0.0.1", ALICE, BOB)
        .provisional(30, 180, "Ringing", false)
        .failed(900, 486, "Busy Here", vec![Reason::q850(17, "User busy")])
        .drained(5_900, Counters::default())
        .commits()
}

/// It rings for long before Bob's phone says that he is busy.
pub fn bob_is_busy_at_last() -> Vec<Commit> {
    Story::outgoing(480, "1at3@127.0.0.1", ALICE, BOB)
        .provisional(30, 180, "Ringing", false)
        .failed(30_050, 486, "Busy Here", vec![Reason::q850(17, "User busy")])
        .drained(35_050, Counters::default())
        .commits()
}

/// A conversation that goes on.
pub fn still_talking() -> Vec<Commit> {
    Story::incoming(300, "11fe@192.0.2.9", "erin@192.0.2.9", "alice@127.0.0.1:5060")
        .command(10, Command::Ring, "SIP/2.0 180 Ringing", false)
        .command(1_800, Command::Accept, "SIP/2.0 200 OK", true)
        .ack(1_830)
        .commits()
}

/// We hang up on Bob.
pub fn we_hang_up() -> Vec<Commit> {
    Story::outgoing(360, "c0ffee@127.0.0.1", ALICE, BOB)
        .provisional(40, 180, "Ringing", false)
        .answered(2_000)
        .hangup(190_000, "BYE sip:bob@127.0.0.1:5070 SIP/2.0")
        .bye_answered(190_020)
        .drained(195_020, Counters::default())
        .commits()
}

/// The engine is killed while it rings and comes back a minute later.
pub fn the_engine_crashes() -> Vec<Commit> {
    Story::incoming(420, "dead01@192.0.2.9", "erin@192.0.2.9", "alice@127.0.0.1:5060")
        .command(10, Command::Ring, "SIP/2.0 180 Ringing", false)
        .recovered(61_000)
        .commits()
}

/// Those without a crash, in the order of their beginning.
pub fn all() -> Vec<Vec<Commit>> {
    vec![
        bob_hangs_up(),
        alice_cancels(),
        we_decline(),
        nobody_answers(),
        bob_is_busy(),
        still_talking(),
        we_hang_up(),
    ]
}
