//! Flow 4: nobody answers.

use serde_json::{Value, json};

use super::flow3::announced;
use super::row::{at_a, at_b};

/// How a business server says that the other party does not answer.
const NO_ANSWER: &str = "Reason: Q.850;cause=19;text=\"No answer from user\"";

const A_WAS_REFUSED: &str = "started ringing ended released";
const A_CANCELLED: &str = "started ringing ending ended released";
const B_WAS_LEFT: &str = "incoming ringing ended released";

fn no_answer(side: &str, act: &str) -> Value {
    json!({
        "family": "unanswered", "cause": "no_answer", "ended_by": {"side": side}, "act": act, "phase": "ringing",
    })
}

#[test]
fn row_4a_the_callee_gives_up_seen_by_the_caller() {
    let mut verdict = no_answer("callee", "final_response");
    verdict["sip"] = json!({"status": 480});
    let row = at_a("4a at A", "uas_reject").pause("1500").peer("FINAL", "480 Temporarily Unavailable");
    row.peer("FINAL_HEADER", NO_ANSWER).notified(A_WAS_REFUSED).verdict(verdict).run();
}

#[test]
fn row_4a_the_callee_gives_up_seen_by_the_callee() {
    let mut verdict = no_answer("callee", "final_response");
    verdict["ended_by"]["agent"] = json!("timer");
    verdict["sip"] = json!({"status": 480});
    let row = at_b("4a at B", "uac_rejected").serve(&["--no-answer", "1"]).peer("STATUS", "480");
    row.peer("EXPECT", "Reason: Q.850;cause=19")
        .notified("incoming ringing ending ended released")
        .verdict(verdict)
        .run();
}

#[test]
fn row_4b_the_server_gives_up_seen_by_the_caller() {
    let mut verdict = no_answer("network", "final_response");
    verdict["sip"] = json!({"status": 408});
    let row = at_a("4b at A", "uas_reject").pause("1500").peer("FINAL", "408 Request Timeout");
    row.notified(A_WAS_REFUSED).verdict(verdict).run();
}

#[test]
fn row_4b_the_server_gives_up_seen_by_the_callee() {
    let verdict = json!({"family": "unanswered", "cause": "no_answer", "act": "cancel", "phase": "ringing"});
    let row =
        at_b("4b at B", "uac_cancel").peer("CANCEL_HEADER", "Reason: SIP;cause=408;text=\"Request Timeout\"");
    row.pause("1500").notified(B_WAS_LEFT).verdict(verdict).run();
}

#[test]
fn row_4c_the_callers_own_patience_ends_seen_by_the_caller() {
    let mut verdict = no_answer("caller", "cancel");
    verdict["ended_by"]["agent"] = json!("timer");
    let row = at_a("4c at A", "uas_ring").place(json!({"no_answer_ms": 700}));
    row.peer("EXPECT", "Reason: Q.850;cause=19").notified(A_CANCELLED).verdict(verdict).run();
}

#[test]
fn row_4c_the_callers_own_patience_ends_seen_by_the_callee() {
    let row = at_b("4c at B", "uac_cancel").peer("CANCEL_HEADER", NO_ANSWER).pause("1500");
    row.notified(B_WAS_LEFT).verdict(no_answer("caller", "cancel")).run();
}

#[test]
fn row_4d_nobody_responds_at_all_which_is_not_a_call_nobody_answered() {
    let verdict =
        json!({"family": "signalling_lost", "cause": "no_response", "phase": "setup", "act": "timeout"});
    at_a("4d at A", "none").notified("started ended released").verdict(verdict).run_into_silence();
}

#[test]
fn row_4e_another_phone_took_the_call() {
    let verdict =
        json!({"family": "elsewhere", "cause": "answered_elsewhere", "act": "cancel", "phase": "ringing"});
    let row = at_b("4e at B", "uac_cancel");
    row.peer("CANCEL_HEADER", "Reason: SIP;cause=200;text=\"Call completed elsewhere\"")
        .notified(B_WAS_LEFT)
        .verdict(verdict)
        .run();
}

#[test]
fn row_4f_the_server_says_no_answer_as_early_media_and_the_caller_hangs_up() {
    let mut verdict = announced("cancelled", "caller", "cancel", "early_media", "no_answer");
    verdict["ended_by"]["agent"] = json!("user");
    let row = at_a("4f at A", "uas_early").peer("EARLY_HEADER", NO_ANSWER).hangup_when("early_media");
    row.notified("started early_media ending ended released").verdict(verdict).run();
}

#[test]
fn row_4g_the_server_answers_and_says_no_answer_and_the_caller_hangs_up() {
    let mut verdict = announced("hangup", "caller", "bye", "connected", "no_answer");
    verdict["ended_by"]["agent"] = json!("user");
    let row = at_a("4g at A", "uas_answer").peer("ANSWER_HEADER", NO_ANSWER).hangup_when("connected");
    row.notified("started ringing answered connected ending ended released").verdict(verdict).run();
}

#[test]
fn row_4h_early_media_and_then_408() {
    let mut verdict = no_answer("network", "final_response");
    verdict["phase"] = json!("early_media");
    let row = at_a("4h at A, 408", "uas_early_reject").pause("1500").peer("FINAL", "408 Request Timeout");
    row.notified("started early_media ended released").verdict(verdict).run();
}

#[test]
fn row_4h_early_media_and_then_480() {
    let mut verdict = no_answer("network", "final_response");
    verdict["phase"] = json!("early_media");
    let row =
        at_a("4h at A, 480", "uas_early_reject").pause("1500").peer("FINAL", "480 Temporarily Unavailable");
    row.peer("FINAL_HEADER", NO_ANSWER).notified("started early_media ended released").verdict(verdict).run();
}
