//! Flow 1: hang-up in conversation.

use serde_json::{Value, json};

use super::row::{OUTLIVES_PATIENCE, at_a, at_b};

const A_HUNG_UP: &str = "started ringing answered connected ending ended released";
const A_WAS_LEFT: &str = "started ringing answered connected ended released";
const B_HUNG_UP: &str = "incoming ringing answered connected ending ended released";
const B_WAS_LEFT: &str = "incoming ringing answered connected ended released";

fn hangup(side: &str) -> Value {
    json!({"family": "cleared", "cause": "hangup", "ended_by": {"side": side}, "act": "bye", "phase": "connected"})
}

fn own_hangup(side: &str) -> Value {
    let mut verdict = hangup(side);
    verdict["ended_by"]["agent"] = json!("user");
    verdict["confidence"] = json!("certain");
    verdict
}

#[test]
fn row_1a_the_caller_hangs_up_seen_by_the_caller() {
    at_a("1a at A", "uas_answer")
        .hangup_when("connected")
        .notified(A_HUNG_UP)
        .verdict(own_hangup("caller"))
        .run();
}

#[test]
fn row_1a_the_caller_hangs_up_seen_by_the_callee() {
    at_b("1a at B", "uac_hangup").accepted().notified(B_WAS_LEFT).verdict(hangup("caller")).run();
}

#[test]
fn row_1a_the_same_over_tcp_seen_by_the_caller() {
    let row = at_a("1a at A over TCP", "uas_answer").tcp().hangup_when("connected");
    row.notified(A_HUNG_UP).verdict(own_hangup("caller")).run();
}

#[test]
fn row_1a_the_same_over_tcp_seen_by_the_callee() {
    at_b("1a at B over TCP", "uac_hangup")
        .tcp()
        .accepted()
        .notified(B_WAS_LEFT)
        .verdict(hangup("caller"))
        .run();
}

#[test]
fn row_1b_the_callee_hangs_up_seen_by_the_caller() {
    at_a("1b at A", "uas_answer_bye").notified(A_WAS_LEFT).verdict(hangup("callee")).run();
}

#[test]
fn row_1b_the_callee_hangs_up_seen_by_the_callee() {
    let row = at_b("1b at B", "uac_answered").accepted().hangup_when("connected");
    row.peer("EXPECT", "Reason: Q.850;cause=16").notified(B_HUNG_UP).verdict(own_hangup("callee")).run();
}

#[test]
fn row_1e_the_callers_bye_is_never_answered() {
    let row = at_a("1e at A", "uas_answer_silent").pause(OUTLIVES_PATIENCE).hangup_when("connected");
    row.notified(A_HUNG_UP).verdict(own_hangup("caller")).run();
}

#[test]
fn row_1j_a_reason_in_the_callees_bye_is_kept_verbatim_and_does_not_blame_the_network() {
    let mut verdict = hangup("callee");
    verdict["sip"] = json!({"reasons": [{"protocol": "Q.850", "cause": 16, "text": "Normal call clearing"}]});
    let row = at_a("1j at A", "uas_answer_bye");
    row.peer("BYE_HEADER", "Reason: Q.850;cause=16;text=\"Normal call clearing\"")
        .notified(A_WAS_LEFT)
        .verdict(verdict)
        .run();
}

#[test]
fn row_1j_a_reason_in_the_callers_bye_is_kept_verbatim_in_its_own_spelling() {
    let mut verdict = hangup("caller");
    verdict["sip"] =
        json!({"reasons": [{"protocol": "q.850", "cause": 16}, {"protocol": "SIP", "cause": null}]});
    let row = at_b("1j at B", "uac_hangup").accepted();
    row.peer("BYE_HEADER", "Reason: q.850;cause=16, SIP;description=\"User Hung Up\"")
        .notified(B_WAS_LEFT)
        .verdict(verdict)
        .run();
}
