//! The messages of RFC 4475 and RFC 5118, where the shared test data is at hand.
//!
//! `ok` is a message that must be understood, at least so far that a higher layer can answer it (405, 415, 416, 420,
//! 483, 501 are not the parser's to say); a number is the answer to one that must not; `drop` says that no answer
//! may or can be sent.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod common;

use common::{outcome, read, shared};

const RFC_4475: &[(&str, &str)] = &[
    // 3.1.1: unusual and valid.
    ("wsinv", "ok"),
    ("intmeth", "ok"),
    ("esc01", "ok"),
    ("escnull", "ok"),
    ("esc02", "ok"),
    ("lwsdisp", "ok"),
    ("longreq", "ok"),
    ("dblreq", "ok"),
    ("semiuri", "ok"),
    ("transports", "ok"),
    ("mpart01", "ok"),
    ("unreason", "ok"),
    ("noreason", "ok"),
    // 3.1.2: invalid.
    ("badinv01", "400"),
    ("clerr", "400"),
    ("ncl", "400"),
    ("scalar02", "400"),
    ("scalarlg", "drop"), // a response
    ("quotbal", "400"),
    ("ltgtruri", "400"),
    ("lwsruri", "400"),
    ("lwsstart", "400"),
    ("trws", "400"),
    ("escruri", "400"),
    ("baddate", "ok"), // the Date may be ignored
    ("regbadct", "400"),
    ("badaspec", "ok"), // the blanks may be ignored
    ("baddn", "ok"),    // the missing quotes may be forgiven
    ("badvers", "505"),
    ("mismatch01", "400"),
    ("mismatch02", "501"),
    ("bigcode", "drop"), // a response
    // 3.2 and 3.3: well formed as far as the parser goes.
    ("badbranch", "ok"),
    ("insuf", "400"),
    ("unkscm", "ok"),
    ("novelsc", "ok"),
    ("unksm2", "ok"),
    ("bext01", "ok"),
    ("invut", "ok"),
    ("regaut01", "ok"),
    ("multi01", "400"),
    ("mcl01", "400"),
    ("bcast", "ok"), // the transaction layer finds no transaction for it
    ("zeromf", "ok"),
    ("cparam01", "ok"),
    ("cparam02", "ok"),
    ("regescrt", "ok"),
    ("sdp01", "ok"),
    ("inv2543", "ok"),
    ("test", "drop"), // no Via: nobody to answer to
];

const RFC_5118: &[(&str, &str)] = &[
    ("ipv6-good", "ok"),
    ("ipv6-bad", "400"),
    ("port-ambiguous", "ok"),
    ("port-unambiguous", "ok"),
    ("via-received-param-with-delim", "ok"),
    ("via-received-param-no-delim", "ok"),
    ("ipv6-in-sdp", "400"), // the body is shorter than the Content-Length it came with
    ("mult-ip-in-header", "ok"),
    ("mult-ip-in-sdp", "ok"),
    ("ipv4-mapped-ipv6", "ok"),
    ("ipv6-correct-abnf-2-colons", "ok"),
    ("ipv6-bug-abnf-3-colons", "ok"), // made by an old grammar, to be forgiven
];

fn check(folder: &str, table: &[(&str, &str)]) {
    let Some(shared) = shared() else {
        println!("skipped: no shared test data here");
        return;
    };
    let folder = shared.join("torture").join(folder);
    let mut wrong = Vec::new();
    for (name, expected) in table {
        let bytes = std::fs::read(folder.join(name).with_extension("dat")).unwrap();
        let parsed = read(bytes);
        let found = outcome(&parsed);
        if found != *expected {
            wrong.push(format!(
                "{name}: {expected} expected, {found} found: {:?}",
                parsed.err().map(|e| e.kind)
            ));
        }
    }
    let files = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, table.len(), "each message has its line in the table");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn messages_of_rfc_4475_are_taken_or_refused_as_it_says() {
    check("rfc4475", RFC_4475);
}

#[test]
fn messages_of_rfc_5118_are_taken_or_refused_as_it_says() {
    check("rfc5118", RFC_5118);
}

fn torture(path: &str) -> Option<callbox_sip::wire::Message> {
    let Some(shared) = shared() else {
        println!("skipped: no shared test data here");
        return None;
    };
    Some(read(std::fs::read(shared.join("torture").join(path)).unwrap()).unwrap())
}

#[test]
fn the_tortuous_invite_is_read_in_all_its_parts() {
    let Some(invite) = torture("rfc4475/wsinv.dat") else { return };
    assert_eq!(invite.uri(), Some("sip:vivekg@chair-dnrc.example.com;unknownparam"));
    assert_eq!(invite.to().uri, "sip:vivekg@chair-dnrc.example.com");
    assert_eq!(invite.to_tag(), Some("1918181833n"));
    assert_eq!(invite.from().display().as_deref(), Some("J Rosenberg \\\""));
    assert_eq!(invite.from_tag(), Some("98asjd8"));
    assert_eq!(invite.max_forwards(), Some(68));
    assert_eq!(invite.cseq().0, 9);
    assert_eq!(invite.call_id(), "wsinv.ndaksdj@192.0.2.1");
    let vias: Vec<_> = invite.vias().map(|via| via.unwrap()).collect();
    let read: Vec<_> = vias.iter().map(|via| (via.transport, via.host, via.branch().unwrap())).collect();
    assert_eq!(
        read,
        [
            ("UDP", "192.0.2.2", "390skdjuw"),
            ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
            ("UDP", "192.168.255.111", "z9hG4bK30239")
        ]
    );
    assert_eq!(invite.contact().unwrap().preference(), 330);
    assert_eq!(
        invite.route().next().unwrap().uri,
        "sip:services.example.com;lr;unknownwith=value;unknown-no-value"
    );
    assert_eq!(invite.body.len(), 150);
}

#[test]
fn the_second_message_of_a_datagram_is_cut_off() {
    let Some(register) = torture("rfc4475/dblreq.dat") else { return };
    assert_eq!(register.method().as_str(), "REGISTER");
    assert!(register.body.is_empty());
}

#[test]
fn a_bare_magic_cookie_identifies_no_transaction() {
    let Some(options) = torture("rfc4475/badbranch.dat") else { return };
    assert!(!options.top_via().has_transaction_id());
}

#[test]
fn received_is_read_with_and_without_brackets() {
    for path in ["rfc5118/via-received-param-with-delim.dat", "rfc5118/via-received-param-no-delim.dat"] {
        let Some(options) = torture(path) else { return };
        assert_eq!(options.top_via().received(), Some("2001:db8::9:255".parse().unwrap()));
    }
}

#[test]
fn digits_behind_a_bracketed_address_alone_are_a_port() {
    use callbox_sip::wire::SipUri;
    let Some(ambiguous) = torture("rfc5118/port-ambiguous.dat") else { return };
    assert_eq!(SipUri::parse(ambiguous.uri().unwrap()).unwrap().port, None);
    let Some(clear) = torture("rfc5118/port-unambiguous.dat") else { return };
    assert_eq!(SipUri::parse(clear.uri().unwrap()).unwrap().port, Some(5070));
}
