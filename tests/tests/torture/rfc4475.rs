//! The messages of RFC 4475, sent to a live engine.

use callbox_tests::peers;
use callbox_tests::probe::header;
use callbox_tests::workspace::shared;

use super::target::Expect::{Answer, Open, Silence, Status, Understood};
use super::target::{Expect, Target, assert_none, torture};

/// File, what the engine must do, and where the RFC says so. The engine knows no registrar, so a REGISTER that is
/// understood gets 405; a method it does not know gets 501 (RFC 3261 §8.2.1 allows 405 as well).
const TABLE: [(&str, Expect, &str); 50] = [
    ("wsinv", Understood, "§3.1.1.1: a short tortuous INVITE, valid"),
    ("intmeth", Status(&[405, 501]), "§3.1.1.2: wide range of valid characters, an unknown method"),
    ("esc01", Understood, "§3.1.1.3: valid escapes"),
    ("escnull", Status(&[405, 501]), "§3.1.1.4: escaped nulls in URIs"),
    ("esc02", Status(&[405, 501]), "§3.1.1.5: an escaped method name is not REGISTER"),
    ("lwsdisp", Status(&[200]), "§3.1.1.6: no blank between display name and <"),
    ("longreq", Understood, "§3.1.1.7: long values"),
    ("dblreq", Status(&[405, 501]), "§3.1.1.8: octets after the body of a datagram are ignored"),
    ("semiuri", Status(&[200, 404]), "§3.1.1.9: semicolons in the user part"),
    ("transports", Status(&[200]), "§3.1.1.10: transport types in Via"),
    ("mpart01", Status(&[405, 415, 501]), "§3.1.1.11: a multipart MESSAGE"),
    ("unreason", Silence, "§3.1.1.12: unusual reason phrase; a response to no request of ours"),
    ("noreason", Silence, "§3.1.1.13: empty reason phrase"),
    ("badinv01", Status(&[400]), "§3.1.2.1: extraneous separators"),
    ("clerr", Status(&[400]), "§3.1.2.2: Content-Length larger than the message"),
    ("ncl", Status(&[400]), "§3.1.2.3: negative Content-Length"),
    ("scalar02", Status(&[400]), "§3.1.2.4: numbers too large in a request"),
    ("scalarlg", Silence, "§3.1.2.5: numbers too large in a response: discarded"),
    ("quotbal", Status(&[400]), "§3.1.2.6: unterminated quote"),
    ("ltgtruri", Status(&[400]), "§3.1.2.7: <> around the Request-URI"),
    ("lwsruri", Status(&[400]), "§3.1.2.8: blanks within the Request-URI"),
    ("lwsstart", Answer, "§3.1.2.9: several blanks in the start line: 400, or lenient"),
    ("trws", Answer, "§3.1.2.10: a blank at the end of the start line: 400, or lenient"),
    ("escruri", Answer, "§3.1.2.11: headers in the Request-URI: 400, or ignored"),
    ("baddate", Answer, "§3.1.2.12: a time zone that is not GMT: 400, or ignored"),
    ("regbadct", Answer, "§3.1.2.13: a Contact that needs <>: 400, or lenient"),
    ("badaspec", Answer, "§3.1.2.14: blanks within <>: 400, or lenient"),
    ("baddn", Answer, "§3.1.2.15: a display name that needs quotes: 400, or lenient"),
    ("badvers", Status(&[505]), "§3.1.2.16: unknown protocol version"),
    ("mismatch01", Status(&[400]), "§3.1.2.17: start line and CSeq disagree"),
    ("mismatch02", Status(&[400, 405, 501]), "§3.1.2.18: the same with an unknown method"),
    ("bigcode", Silence, "§3.1.2.19: overlarge response code"),
    ("badbranch", Status(&[200]), "§3.2.1: a branch that is nothing but the cookie"),
    ("insuf", Status(&[400]), "§3.3.1: To, From, Call-ID and CSeq are missing"),
    ("unkscm", Status(&[416]), "§3.3.2: unknown scheme in the Request-URI"),
    ("novelsc", Status(&[416]), "§3.3.3: known but atypical scheme"),
    ("unksm2", Answer, "§3.3.4: unknown schemes in To, From and Contact"),
    ("bext01", Status(&[420]), "§3.3.5: Require and Proxy-Require"),
    ("invut", Status(&[415]), "§3.3.6: unknown type of body"),
    ("regaut01", Status(&[401, 405, 501]), "§3.3.7: unknown scheme of credentials"),
    ("multi01", Status(&[400]), "§3.3.8: several values where one may be"),
    ("mcl01", Status(&[400]), "§3.3.9: several Content-Lengths"),
    ("bcast", Silence, "§3.3.10: a response with a broadcast address in Via"),
    ("zeromf", Status(&[200, 483]), "§3.3.11: Max-Forwards of zero"),
    ("cparam01", Status(&[405, 501]), "§3.3.12: REGISTER with an unknown contact parameter"),
    ("cparam02", Status(&[405, 501]), "§3.3.13: REGISTER with an unknown URI parameter"),
    ("regescrt", Status(&[405, 501]), "§3.3.14: REGISTER with an escaped header"),
    ("sdp01", Status(&[406, 486]), "§3.3.15: the sender accepts no body of ours"),
    ("inv2543", Understood, "§3.4.1: an INVITE as of RFC 2543"),
    ("test", Open, "not a message of the text"),
];

#[test]
fn each_message_gets_the_answer_that_rfc_4475_asks_for() {
    let Some(folder) = shared("torture/rfc4475") else { return peers::skip_without_data("torture/rfc4475") };
    let target = Target::new();
    let mut deviations = Vec::new();
    for (file, expect, section) in TABLE {
        let datagram =
            std::fs::read(folder.join(format!("{file}.dat"))).expect("the folder holds all messages");
        let name = format!("{file} ({section})");
        match torture(&target, &name, &datagram, expect) {
            Ok(Some(answer)) => deviations.extend(details(file, &answer)),
            Ok(None) => {}
            Err(deviation) => deviations.push(deviation),
        }
    }
    assert_none(&deviations);
    target.finish();
}

/// What an answer must carry beside its status.
fn details(file: &str, answer: &str) -> Option<String> {
    let carries = |name: &str, part: &str| header(answer, name).is_some_and(|value| value.contains(part));
    let right = match file {
        "bext01" => carries("Unsupported", "nothingSupportsThis"),
        "invut" => carries("Accept", "application/sdp"),
        "dblreq" => carries("Call-ID", "dblreq.0ha0isndaksdj99sdfafnl3lk233412"),
        "cparam01" | "cparam02" | "regescrt" => carries("Allow", "INVITE"),
        _ => true,
    };
    (!right).then(|| format!("{file}: the answer lacks what it must carry:\n{answer}"))
}
