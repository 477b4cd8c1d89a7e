//! Other ends.

use serde_json::json;

use super::row::at_b;

#[test]
fn row_5a_the_acknowledgement_never_arrives() {
    let verdict = json!({"family": "signalling_lost", "cause": "ack_missing", "phase": "answering"});
    let row = at_b("5a at B", "uac_no_ack").accepted();
    row.notified("incoming ringing answered ending ended released").verdict(verdict).run();
}
