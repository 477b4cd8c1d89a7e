//! Flow 2: the caller cancels.

use serde_json::{Value, json};

use super::row::{OUTLIVES_PATIENCE, at_a, at_b};

const A_CANCELLED: &str = "started ringing ending ended released";

fn cancelled(phase: &str) -> Value {
    json!({"family": "abandoned", "cause": "cancelled", "ended_by": {"side": "caller"}, "act": "cancel", "phase": phase})
}

fn own_cancel(phase: &str) -> Value {
    let mut verdict = cancelled(phase);
    verdict["ended_by"]["agent"] = json!("user");
    verdict
}

#[test]
fn row_2a_cancel_while_it_rings_seen_by_the_caller() {
    let mut verdict = own_cancel("ringing");
    verdict["sip"] = json!({"status": 487});
    verdict["confidence"] = json!("certain");
    let row = at_a("2a at A", "uas_ring").peer("EXPECT", "Reason: ").hangup_when("ringing");
    row.notified(A_CANCELLED).verdict(verdict).run();
}

#[test]
fn row_2a_cancel_while_it_rings_seen_by_the_callee() {
    at_b("2a at B", "uac_cancel")
        .notified("incoming ringing ended released")
        .verdict(cancelled("ringing"))
        .run();
}

#[test]
fn row_2d_the_cancel_crosses_the_answer_seen_by_the_caller() {
    let mut verdict = own_cancel("ringing");
    verdict["races"] = json!([{"kind": "cancel_vs_200"}]);
    at_a("2d at A", "uas_cancel_crossed").hangup_when("ringing").notified(A_CANCELLED).verdict(verdict).run();
}

#[test]
fn row_2d_the_cancel_crosses_the_answer_seen_by_the_callee() {
    let verdict = json!({
        "family": "cleared", "cause": "hangup", "ended_by": {"side": "caller"}, "act": "bye",
        "races": [{"kind": "answer_vs_remote_cancel", "winner": "callee_answer"}],
    });
    let row = at_b("2d at B", "uac_cancel_crossed").accepted();
    row.notified("incoming ringing answered connected ended released").verdict(verdict).run();
}

#[test]
fn row_2e_the_cancel_is_accepted_and_the_final_response_never_comes() {
    let row = at_a("2e at A", "uas_cancel_no_final").pause(OUTLIVES_PATIENCE).hangup_when("ringing");
    row.notified(A_CANCELLED).verdict(own_cancel("ringing")).run();
}
