//! The vocabulary is public and for ever: it is held against VERDICTS section 3 and 4 here.

use std::collections::BTreeSet;

use callbox_events::verdict::{
    AnswerKind, Cause, Completeness, Confidence, Family, Fault, RaceKind, VerdictPhase,
};

const FAMILIES: &[(&str, &str)] = &[
    ("cleared", "hangup conference_ended"),
    ("abandoned", "cancelled"),
    ("refused", "busy busy_everywhere declined unavailable do_not_disturb unwanted"),
    ("unanswered", "no_answer"),
    ("elsewhere", "answered_elsewhere declined_elsewhere picked_up fork_lost"),
    ("moved", "redirected redirect_failed transferred replaced"),
    ("unreachable", "not_found gone bad_number no_route not_registered dns_failed bad_uri out_of_service"),
    ("blocked", "auth_failed forbidden payment_required screened identity_rejected barred rate_limited"),
    (
        "incompatible",
        "media_rejected extension_required encryption_required interval_too_small message_too_large missing_media",
    ),
    ("overloaded", "service_unavailable server_error gateway_timeout congestion precondition_failed"),
    (
        "signalling_lost",
        "no_response ack_missing prack_missing final_missing transport_failed session_expired dialog_gone keepalive_lost",
    ),
    ("media_lost", "media_timeout ice_failed media_security_failed consent_expired device_failed"),
    ("limit", "max_duration credit_exhausted max_calls preempted idle"),
    ("protocol", "malformed dialog_mismatch merged_request glare_unresolved method_refused unsolicited"),
    (
        "local_system",
        "admin_kill shutdown engine_lost storage_failed resources_exhausted internal_error application_lost",
    ),
    ("unknown", "record_gap capture_ended contradictory alive"),
];

#[test]
fn every_cause_exists_exactly_once_under_its_family() {
    let mut seen = BTreeSet::new();
    assert_eq!(Family::ALL.len(), FAMILIES.len());
    for (family, causes) in FAMILIES {
        let family: Family = family.parse().unwrap();
        for code in causes.split(' ') {
            let cause: Cause = code.parse().unwrap_or_else(|_| panic!("{code} is missing"));
            assert_eq!(cause.family(), family, "{code}");
            assert_eq!(serde_json::to_string(&cause).unwrap(), format!("\"{code}\""));
            assert!(seen.insert(code), "{code} is listed twice");
        }
    }
    assert_eq!(seen.len(), Cause::ALL.len(), "a cause that VERDICTS does not know");
}

#[test]
fn the_other_axes_have_the_published_codes() {
    fn codes<T: Copy>(all: &[T], code: fn(T) -> &'static str) -> String {
        all.iter().map(|one| code(*one)).collect::<Vec<_>>().join(" ")
    }
    assert_eq!(
        codes(VerdictPhase::ALL, VerdictPhase::code),
        "setup ringing early_media answering connected held ending"
    );
    assert_eq!(codes(AnswerKind::ALL, AnswerKind::code), "party automaton announcement unknown");
    assert_eq!(codes(Fault::ALL, Fault::code), "normal caller callee network policy engine indeterminate");
    assert_eq!(codes(Confidence::ALL, Confidence::code), "none weak strong certain");
    assert_eq!(codes(Completeness::ALL, Completeness::code), "full gap one_sided truncated");
    assert_eq!(
        codes(RaceKind::ALL, RaceKind::code),
        "cancel_vs_200 cancel_vs_final cancel_held_for_provisional bye_vs_bye bye_vs_reinvite bye_vs_refer \
         bye_before_ack answer_vs_remote_cancel two_200s reinvite_glare ack_lost timer_vs_answer reject_vs_cancel \
         retransmission_after_end"
    );
}
