//! Flow 3: the callee rejects, and what a business server makes of it.

use serde_json::{Value, json};

use super::row::{Row, at_a, at_b};

const A_WAS_REFUSED: &str = "started ringing ended released";
const B_REFUSED: &str = "incoming ringing ending ended released";

/// How a business server says that the other party is busy.
const BUSY: &str = "Reason: Q.850;cause=17;text=\"User busy\"";

/// An announcement answered the call or played before it; behind it stands `underlying`.
pub fn announced(cause: &str, side: &str, act: &str, phase: &str, underlying: &str) -> Value {
    json!({
        "cause": cause, "ended_by": {"side": side}, "act": act, "phase": phase,
        "answer_kind": "announcement", "underlying": {"cause": underlying},
    })
}

fn rejected_by_user(id: &'static str, body: Value, status: u16) -> Row {
    let verdict = json!({
        "family": "refused", "cause": "declined", "ended_by": {"side": "callee", "agent": "user"},
        "act": "final_response", "phase": "ringing", "confidence": "certain", "sip": {"status": status},
    });
    at_b(id, "uac_rejected").when("ringing", "hangup", body).notified(B_REFUSED).verdict(verdict)
}

#[test]
fn row_3a_a_decline_seen_by_the_caller() {
    let verdict = json!({
        "family": "refused", "cause": "declined", "ended_by": {"side": "callee"}, "act": "final_response",
        "phase": "ringing", "sip": {"status": 603, "phrase": "Decline"}, "answer_kind": null, "underlying": null,
    });
    at_a("3a at A", "uas_reject").peer("FINAL", "603 Decline").notified(A_WAS_REFUSED).verdict(verdict).run();
}

#[test]
fn row_3a_a_decline_seen_by_the_callee() {
    let row = rejected_by_user("3a at B", json!({"origin": "user"}), 603).peer("STATUS", "603");
    row.peer("EXPECT", "Reason: Q.850;cause=21").run();
}

#[test]
fn row_3b_busy_after_ringing_seen_by_the_caller() {
    let verdict = json!({
        "family": "refused", "cause": "busy", "ended_by": {"side": "callee"}, "act": "final_response",
        "phase": "ringing", "sip": {"status": 486},
    });
    let row = at_a("3b at A", "uas_reject").peer("FINAL", "486 Busy Here");
    row.peer("FINAL_HEADER", BUSY).notified(A_WAS_REFUSED).verdict(verdict).run();
}

#[test]
fn row_3b_a_reject_with_486_is_still_the_users_decline() {
    rejected_by_user("3b at B", json!({"origin": "user", "status": 486}), 486).peer("STATUS", "486").run();
}

#[test]
fn row_3g_the_server_answers_and_says_busy_and_the_caller_hangs_up() {
    let mut verdict = announced("hangup", "caller", "bye", "connected", "busy");
    verdict["ended_by"]["agent"] = json!("user");
    let row = at_a("3g at A", "uas_answer").peer("ANSWER_HEADER", BUSY).hangup_when("connected");
    row.notified("started ringing answered connected ending ended released").verdict(verdict).run();
}

#[test]
fn row_3g_without_a_clue_nobody_knows_what_answered() {
    let verdict = json!({"cause": "hangup", "answer_kind": "unknown", "underlying": null});
    let row = at_a("3g at A, no clue", "uas_answer").pause("1500").hangup_when("connected");
    row.notified("started ringing answered connected ending ended released").verdict(verdict).run();
}

#[test]
fn row_3h_the_server_says_busy_as_early_media_and_the_caller_hangs_up() {
    let mut verdict = announced("cancelled", "caller", "cancel", "early_media", "busy");
    verdict["ended_by"]["agent"] = json!("user");
    verdict["sip"] = json!({"status": 487});
    let row = at_a("3h at A", "uas_early").peer("EARLY_HEADER", BUSY).hangup_when("early_media");
    row.notified("started early_media ending ended released").verdict(verdict).run();
}

#[test]
fn row_3i_early_media_and_then_busy() {
    let verdict = json!({
        "family": "refused", "cause": "busy", "act": "final_response", "phase": "early_media", "sip": {"status": 486},
    });
    let row = at_a("3i at A", "uas_early_reject").pause("1000").peer("FINAL", "486 Busy Here");
    row.peer("FINAL_HEADER", BUSY).notified("started early_media ended released").verdict(verdict).run();
}

#[test]
fn row_3j_the_server_answers_says_busy_and_hangs_up_itself() {
    let verdict = announced("hangup", "network", "bye", "connected", "busy");
    let row = at_a("3j at A", "uas_answer_bye").peer("ANSWER_HEADER", BUSY);
    row.notified("started ringing answered connected ended released").verdict(verdict).run();
}
