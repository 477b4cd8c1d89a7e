//! Redaction of texts and messages as tables and as laws. That nothing personal is left in any export is tested where
//! exports are made.

use proptest::prelude::*;

use super::pseudonym::Pseudonyms;
use super::text::Mode;
use super::*;

const SECRET: &[u8] = b"a secret of sixteen bytes or more";

fn scope(all: bool) -> Scope<OneKey> {
    let level = if all { Level::All } else { Level::Numbers };
    let mut scope = Scope::new(level, OneKey::new(Pseudonyms::new(&Key::of(SECRET))), Whose::person(0));
    scope.known = Known::learning();
    scope
}

/// What a text becomes, with everything that is personal in it known already.
fn rewritten(all: bool, mode: Mode, text: &str) -> String {
    let mut scope = scope(all);
    scope.text(text, mode, &mut Out::default());
    scope.known.learned();
    let mut out = Out::default();
    scope.text(text, mode, &mut out);
    assert_eq!(String::from_utf8_lossy(&out.original()), text, "what was replaced can be put back");
    out.text()
}

#[test]
fn numbers_are_found_wherever_they_stand_and_nothing_else_is_touched() {
    let number = |digits: &str| Pseudonyms::new(&Key::of(SECRET)).number(digits);
    let (long, short) = (number("4930123456"), number("101"));
    for (mode, text, expected) in [
        (Mode::Token, "sip:101@pbx.example", format!("sip:{short}@pbx.example")),
        (Mode::Token, "<sip:+4930123456@h;user=phone>;tag=x", format!("<sip:+{long}@h;user=phone>;tag=x")),
        (Mode::Token, "<sip:%2B4930123456@h>", format!("<sip:+{long}@h>")),
        (Mode::Token, "tel:+49-30-123456;phone-context=x", format!("tel:+{long};phone-context=x")),
        (Mode::Token, "TEL:(49)30.123456", format!("TEL:{long}")),
        (Mode::Token, "sip:+4930123456;ext=5:pw@h", format!("sip:+{long};ext=5:redacted@h")),
        (Mode::Token, "\"101\" <sip:101@h>", format!("\"{short}\" <sip:{short}@h>")),
        (Mode::Token, "Ext 101 <sip:101@h>", format!("Ext {short} <sip:{short}@h>")),
        (Mode::Token, "as4930123456-7@192.168.100.200", format!("as{long}-7@192.168.100.200")),
        (Mode::Token, "sip:alice@[2001:db8::1]:5060", "sip:alice@[2001:db8::1]:5060".into()),
        (Mode::Token, "sip:proxy.example:5060;lr", "sip:proxy.example:5060;lr".into()),
        (Mode::Prose, "call 49 30-123456, room 101", format!("call {long}, room 101")),
        (Mode::Prose, "ask 192.168.100.200 for 17 calls", "ask 192.168.100.200 for 17 calls".into()),
        (Mode::Code, "answered_elsewhere", "answered_elsewhere".into()),
    ] {
        assert_eq!(rewritten(false, mode, text), expected, "{text}");
    }
}

#[test]
fn names_hosts_and_addresses_go_too_if_everything_is_asked_for() {
    let some = Pseudonyms::new(&Key::of(SECRET));
    let (user, host, name) = (some.user("bob"), some.host("example.com"), some.name("Bob Smith"));
    let (v4, v6) = (some.address([10, 0, 0, 9].into()), some.address("2001:db9::9".parse().unwrap()));
    let number = some.number("4930123456");
    for (mode, text, expected) in [
        (
            Mode::Token,
            "\"Bob Smith\" <sip:bob@example.com:5070>;tag=t",
            format!("\"{name}\" <sip:{user}@{host}:5070>;tag=t"),
        ),
        (Mode::Token, "Bob Smith <sip:bob@example.com>", format!("{name} <sip:{user}@{host}>")),
        (Mode::Token, "<sip:+4930123456@10.0.0.9>", format!("<sip:+{number}@{v4}>")),
        (Mode::Token, "sip:[2001:db9::9]:5060", format!("sip:[{v6}]:5060")),
        (Mode::Token, "abc@EXAMPLE.com", format!("abc@{host}")),
        (
            Mode::Token,
            "sip:bob@example.com, for bob, by bobby",
            format!("sip:{user}@{host}, for {user}, by bobby"),
        ),
        (Mode::Token, "sip:anonymous@anonymous.invalid", "sip:anonymous@anonymous.invalid".into()),
        (Mode::Prose, "10.0.0.9 is down.", format!("{v4} is down.")),
        (Mode::Prose, "Call completed elsewhere", "Call completed elsewhere".into()),
    ] {
        assert_eq!(rewritten(true, mode, text), expected, "{text}");
    }
}

proptest! {
    /// Whatever a stranger sent: no panic, what comes out is text, and what went in can be put back.
    #[test]
    fn any_bytes_are_rewritten_to_something(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for all in [false, true] {
            let mut scope = scope(all);
            scope.message(&bytes, &mut Out::default());
            scope.known.learned();
            let mut out = Out::default();
            scope.message(&bytes, &mut out);
            prop_assert_eq!(out.original(), bytes.clone());
            prop_assert!(String::from_utf8(out.bytes).is_ok());
        }
    }

    /// The same for texts that are nearly addresses: no long run of digits comes through.
    #[test]
    fn any_text_is_rewritten(text in "(sips?:|tel:|\"|<|>|@|\\[|\\]|;|,|é|[0-9]{1,9}|[a-z.]{1,6}| |\\\\|%2|\\+){0,30}") {
        for all in [false, true] {
            for mode in [Mode::Code, Mode::Token, Mode::Prose, Mode::Display] {
                let out = rewritten(all, mode, &text);
                for run in text.split(|char: char| !char.is_ascii_digit()).filter(|run| run.len() >= 7) {
                    prop_assert!(!out.contains(run), "{} in {}", run, out);
                }
            }
        }
    }
}
