//! Whole documents of `why --json`, as people and programs get them. A changed byte is a visible diff.

use callbox_events::verdict::why;

use crate::script::play;

const CALLS: &[(&str, &str)] = &[
    ("caller_hangs_up", "place; 180; +2s; 200; +5s; hangup user; bye-answer 200; drained"),
    ("callee_hangs_up", "place; 180; +2s; 200; +5s; bye q850=16; drained"),
    ("both_hang_up", "place; 180; 200; +5s; hangup user; +20ms; bye; drained"),
    ("caller_cancels", "place; 180; +3s; hangup user; cancel-answer 200; 487; drained"),
    ("cancel_crosses_200", "place; 180; +3s; hangup user; +5ms; 200; cancel-answer 200; drained"),
    ("callee_rejects", "invite; ring; +3s; hangup user"),
    ("busy_with_normal_clearing", "place; 180; +3s; 486 q850=16"),
    (
        "announcement_after_reject",
        "place; 180; +3s; 200 q850=17 sendonly tag=s; +6s; hangup user; bye-answer 200",
    ),
    (
        "announcement_as_early_media",
        "place; 180; +20s; 183 sdp diverted=no-answer tag=s; +6s; hangup user; 487",
    ),
    ("callee_does_not_answer", "policy no_answer=30s; invite; ring; +30s; timer no_answer"),
    ("no_response", "place; +32s; timeout invite; drained"),
    ("answered_elsewhere", "invite; ring; +3s; cancel sip=200 text=Call_completed_elsewhere"),
    ("ack_missing", "invite; ring; accept; +32s; ack-missing; bye-answer 481; drained"),
    ("engine_lost", "place; 180; +3s; crash; drained"),
    ("alive", "place; 180; 200"),
];

#[test]
fn whole_verdicts_as_json() {
    for (name, script) in CALLS {
        let why = why(&play(script)).unwrap();
        insta::with_settings!({ description => *script, omit_expression => true }, {
            insta::assert_snapshot!(*name, serde_json::to_string_pretty(&why).unwrap());
        });
    }
}
