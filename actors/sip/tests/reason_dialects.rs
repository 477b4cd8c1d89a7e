//! Reason in all dialects met in the field: the header as it was written, what is read of it, and what the rulebook
//! takes it to claim.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has failed")]

use callbox_events::verdict::{Rulebook, understood};
use callbox_sip::digest;
use callbox_sip::wire::{Limits, Message, parse};

/// Header value → protocol, cause, text, location; claim. `-` is nothing.
const DIALECTS: &[(&str, &str, &str)] = &[
    // RFC 3326, and what is written beside its grammar.
    (
        r#"SIP;cause=200;text="Call completed elsewhere""#,
        "SIP 200 'Call completed elsewhere' -",
        "answered_elsewhere",
    ),
    (r#"Q.850;cause=16;text="Terminated""#, "Q.850 16 'Terminated' -", "normal"),
    (r#"SIP ;cause=600 ;text="Busy Everywhere""#, "SIP 600 'Busy Everywhere' -", "busy_everywhere"),
    ("q.850;cause=21", "q.850 21 - -", "declined"),
    ("Q.850 ; CAUSE = 17", "Q.850 17 - -", "busy"),
    ("Q.850;cause=0", "Q.850 0 - -", "nothing"),
    (r#"Q.850;cause="19""#, "Q.850 19 - -", "no_answer"),
    ("Q.850;cause=sixteen", "Q.850 - - -", "nothing"),
    ("Q.850;cause=99999", "Q.850 - - -", "nothing"),
    (r#"SIP;description="User Hung Up""#, "SIP - 'User Hung Up' -", "hangup"),
    (r#"SIP;text="Call completed elsewhere""#, "SIP - 'Call completed elsewhere' -", "answered_elsewhere"),
    ("SIP;cause=486", "SIP 486 - -", "busy"),
    ("SIP;cause=408", "SIP 408 - -", "timer"),
    // RFC 4411.
    (r#"preemption ;cause=1 ;text="UA Preemption""#, "preemption 1 'UA Preemption' -", "preempted"),
    (r#"Preemption;cause=5;text="Network Preemption""#, "Preemption 5 'Network Preemption' -", "preempted"),
    // RFC 8606.
    (r#"Q.850;cause=16;text="Terminated";location=LN"#, "Q.850 16 'Terminated' LN", "normal"),
    ("Q.850;cause=17;location=U", "Q.850 17 - U", "busy"),
    // 3GPP TS 24.229.
    (r#"RELEASE_CAUSE;cause=1;text="User ends call""#, "RELEASE_CAUSE 1 'User ends call' -", "hangup"),
    (
        r#"RELEASE_CAUSE ; cause=2 ; text="RTP/RTCP time-out""#,
        "RELEASE_CAUSE 2 'RTP/RTCP time-out' -",
        "media_timeout",
    ),
    (
        r#"RELEASE_CAUSE;cause=3;text="Media bearer loss""#,
        "RELEASE_CAUSE 3 'Media bearer loss' -",
        "media_timeout",
    ),
    (
        r#"RELEASE_CAUSE;cause=4;text="SIP timeout - no ACK""#,
        "RELEASE_CAUSE 4 'SIP timeout - no ACK' -",
        "ack_missing",
    ),
    (
        r#"RELEASE_CAUSE;cause=5;text="SIP response time-out""#,
        "RELEASE_CAUSE 5 'SIP response time-out' -",
        "no_response",
    ),
    (
        r#"RELEASE_CAUSE;cause=6;text="Call-setup time-out""#,
        "RELEASE_CAUSE 6 'Call-setup time-out' -",
        "no_answer",
    ),
    (
        r#"release_cause;cause=31;text="Normal unspecified""#,
        "release_cause 31 'Normal unspecified' -",
        "nothing",
    ),
    (
        r#"FAILURE_CAUSE;cause=1;text="Media bearer or QoS lost""#,
        "FAILURE_CAUSE 1 'Media bearer or QoS lost' -",
        "media_timeout",
    ),
    ("EMM;cause=11", "EMM 11 - -", "nothing"),
    // Asterisk and FreeSWITCH.
    (r#"Q.850;cause=16;text="NORMAL_CLEARING""#, "Q.850 16 'NORMAL_CLEARING' -", "normal"),
    (r#"SIP;cause=487;text="ORIGINATOR_CANCEL""#, "SIP 487 'ORIGINATOR_CANCEL' -", "cancelled"),
    (r#"SIP;cause=801;text="ATTENDED_TRANSFER""#, "SIP 801 'ATTENDED_TRANSFER' -", "transferred"),
    (r#"FreeSWITCH;cause=805;text="PICKED_OFF""#, "FreeSWITCH 805 'PICKED_OFF' -", "picked_up"),
    (r#"FreeSWITCH;cause=605;text="PICKED_OFF""#, "FreeSWITCH 605 'PICKED_OFF' -", "picked_up"),
    (r#"FreeSWITCH;cause=702;text="LOSE_RACE""#, "FreeSWITCH 702 'LOSE_RACE' -", "fork_lost"),
    (r#"FreeSWITCH;cause=999;text="MANAGER_REQUEST""#, "FreeSWITCH 999 'MANAGER_REQUEST' -", "admin_kill"),
    // Mobile switches and session border controllers.
    ("X.int ;reasoncode=0x00000000;add-info=05CC.0001.0001", "X.int - - -", "normal"),
    ("X.int;reasoncode=0x00000603;add-info=05D8.01.0008", "X.int - - -", "normal"),
    ("X.int ;reasoncode=0x00000015;add-info=0135.0018.0000", "X.int - - -", "nothing"),
    (r#"release_code;cause=3;text="RTP timeout""#, "release_code 3 'RTP timeout' -", "media_timeout"),
    // Words where the number says nothing.
    (r#"Q.850;cause=16;text="RTP timeout""#, "Q.850 16 'RTP timeout' -", "media_timeout"),
    (r#"Q.850;cause=31;text="credit_exhausted""#, "Q.850 31 'credit_exhausted' -", "credit_exhausted"),
    (r#"Q.850;cause=17;text="credit_exhausted""#, "Q.850 17 'credit_exhausted' -", "busy"),
    (r#"Q.850;cause=16;text="Accredited caller left""#, "Q.850 16 'Accredited caller left' -", "normal"),
    (r#"SIP;cause=408;text="Session timer expired""#, "SIP 408 'Session timer expired' -", "session_expired"),
    (r#"X-Vendor;text="a \"quoted; thing\"";cause=7"#, r#"X-Vendor 7 'a "quoted; thing"' -"#, "nothing"),
    // Nothing that could be read is no error.
    ("Q.850", "Q.850 - - -", "nothing"),
    (";cause=16", " 16 - -", "nothing"),
];

fn bye(headers: &str) -> Message {
    let text = format!(
        "BYE sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nFrom: <sip:b@h>;tag=b\r\n\
         To: <sip:a@h>;tag=a\r\nCall-ID: 1@h\r\nCSeq: 2 BYE\r\nMax-Forwards: 70\r\n{headers}Content-Length: 0\r\n\r\n"
    );
    parse(text.into(), &Limits::default()).unwrap_or_else(|error| panic!("{headers}: {error:?}"))
}

#[test]
fn every_dialect_is_read_verbatim_and_understood_as_far_as_it_goes() {
    for (header, read, claim) in DIALECTS {
        let reasons = digest::request(&bye(&format!("Reason: {header}\r\n"))).reasons;
        let [reason] = reasons.as_slice() else { panic!("{header}: {reasons:?}") };
        let cause = reason.cause.map_or_else(|| "-".to_owned(), |cause| cause.to_string());
        let text = reason.text.as_ref().map_or_else(|| "-".to_owned(), |text| format!("'{text}'"));
        let location = reason.location.as_deref().unwrap_or("-");
        assert_eq!(format!("{} {cause} {text} {location}", reason.protocol), *read, "{header}");
        assert_eq!(reason.raw, *header, "kept as it was written");
        assert_eq!(understood(Rulebook::NEWEST, reason), *claim, "{header}");
    }
}

#[test]
fn several_values_of_one_protocol_are_all_kept_in_their_order() {
    let one_line = bye("Reason: Q.850;cause=16, SIP;cause=200;text=\"a, b\", Q.850;cause=38\r\n");
    let lines =
        bye("Reason: Q.850;cause=16\r\nReason: SIP;cause=200;text=\"a, b\"\r\nreason: Q.850;cause=38\r\n");
    for message in [one_line, lines] {
        let reasons = digest::request(&message).reasons;
        let read: Vec<_> = reasons.iter().map(|reason| (reason.protocol.as_str(), reason.cause)).collect();
        assert_eq!(read, [("Q.850", Some(16)), ("SIP", Some(200)), ("Q.850", Some(38))]);
    }
}

#[test]
fn the_private_headers_of_asterisk_are_kept_beside_the_reasons() {
    let clues = digest::request(&bye(
        "X-Asterisk-HangupCause: Normal Clearing\r\nX-Asterisk-HangupCauseCode: 16\r\n",
    ))
    .clues;
    assert_eq!((clues.hangup_cause.as_deref(), clues.hangup_code), (Some("Normal Clearing"), Some(16)));
    let odd = digest::request(&bye("X-Asterisk-HangupCauseCode: many\r\n")).clues;
    assert_eq!(odd.hangup_code, None);
}
