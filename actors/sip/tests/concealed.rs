//! The law of erasable journals: with all boxes open a commit comes back byte for byte, whatever a stranger had sent;
//! with somebody's boxes closed it is a commit still, and has nothing of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod common;

use std::cell::RefCell;
use std::io;

use callbox_events::call::{Event, Input, Invite, Noted, Offered, Phase, Policy, Signal};
use callbox_events::schema::sealed::{self, Conceal, ConcealCall, Extent, Party, Ring, Sealed};
use callbox_events::schema::{self, CodecError, Commit, Happened, WireDirection, WireMessage};
use callbox_events::sip::{Clues, Dialog, Peer, Reason, Request, Sdp, Transport};
use callbox_events::{CallId, Role, Timestamp};
use callbox_sip::redact::Concealer;
use proptest::prelude::*;

const CALLER: &str = "4930987654321";
const CALLED: &str = "442071838750";

/// Numbers parties as they come.
#[derive(Default)]
struct Book(RefCell<Vec<String>>);

impl Ring for Book {
    fn party(&self, identity: &str) -> io::Result<Party> {
        let mut known = self.0.borrow_mut();
        let number = known.iter().position(|one| one == identity).unwrap_or_else(|| {
            known.push(identity.to_owned());
            known.len() - 1
        });
        Ok(Party { number: u32::try_from(number).unwrap() + 1, secret: [number as u8; 32] })
    }
}

impl Book {
    fn number(&self, identity: &str) -> u32 {
        self.party(identity).unwrap().number
    }
}

/// A commit in which a stranger wrote these texts and this message.
fn commit(version: u64, texts: &[String], wire: Vec<Vec<u8>>) -> Commit {
    let text = |n: usize| texts.get(n).cloned().unwrap_or_default();
    let peer = Peer { transport: Transport::Udp, addr: "[2001:db9::7]:5060".parse().unwrap() };
    let dialog = Dialog {
        sip_call_id: format!("{}@192.0.2.7", text(0)),
        local_uri: format!("<sip:{CALLED}@example.com>"),
        local_tag: "ours".into(),
        remote_uri: format!("\"{}\" <sip:+{CALLER}@198.51.100.7>", text(1).replace(['"', '\\'], "")),
        remote_tag: Some(text(2)),
        remote_target: format!("sip:{CALLER}@198.51.100.7:5060"),
        route_set: vec![text(3)],
        local_cseq: 0,
        remote_cseq: 1,
        local_contact: "sip:us@127.0.0.1".into(),
        peer,
        invite_branch: None,
        invite_cseq: 1,
    };
    let request = Request {
        method: "INVITE".into(),
        cseq: 1,
        reasons: vec![Reason { raw: text(4), text: Some(text(5)), ..Reason::sip(302, "") }],
        sdp: Some(Sdp { origin: "198.51.100.7".into(), ..Sdp::default() }),
        clues: Clues { warnings: vec![text(6)], software: Some(text(7)), ..Clues::default() },
        new_target: None,
    };
    let (from, to) = (format!("sip:+{CALLER}@198.51.100.7"), format!("sip:{CALLED}@example.com"));
    let dialog = std::sync::Arc::new(dialog);
    let offered = Offered {
        from: from.clone(),
        to: to.clone(),
        dialog: dialog.clone(),
        policy: Policy::default(),
        expires_at: None,
    };
    let invite = Invite { from, to, dialog, request, expires: None, policy: Policy::default() };
    let at = Timestamp::from_micros(1_795_415_880_000_000);
    let message = |bytes| WireMessage { direction: WireDirection::In, peer, to: None, bytes };
    Commit {
        call: CallId::derive(at, Role::Callee, "x", "y", 1),
        version,
        at,
        node: "callbox".into(),
        epoch: 0,
        phase_before: Phase::Idle,
        input: Input::Signal(Signal::Invite(Box::new(invite))),
        events: vec![
            Happened { phase: Phase::Incoming, event: Event::Offered(Box::new(offered)) },
            Happened { phase: Phase::Incoming, event: Event::Noted(Noted { what: text(8) }) },
        ],
        wire: wire.into_iter().map(message).collect(),
    }
}

/// Seals without encrypting, so that each box can be opened or left closed.
fn seal(call: &mut dyn ConcealCall, book: &Book, commit: &Commit) -> (Vec<u8>, Vec<u8>) {
    let encoded = schema::encode(commit).unwrap();
    let concealed = call.commit(commit, &encoded, Extent::Personal, book).unwrap();
    let sealed = sealed::seal::<CodecError>(&concealed, |_, _, content| Ok(content)).unwrap();
    (encoded, sealed)
}

/// What is there without the keys of these parties.
fn opened(sealed: &[u8], without: &[u32]) -> Vec<u8> {
    let sealed = Sealed::read(sealed).unwrap();
    let closed = |whose: u16| {
        let people = sealed.people.iter().enumerate();
        people.filter(|(bit, _)| whose & (1 << bit) != 0).any(|(_, party)| without.contains(party))
    };
    let contents: Vec<_> =
        sealed.boxes().iter().map(|boxed| (!closed(boxed.whose)).then(|| boxed.bytes.to_vec())).collect();
    sealed.opened(&contents).unwrap()
}

fn nothing_of(text: &str, bytes: &[u8]) {
    if let Some(at) = bytes.windows(text.len()).position(|window| window == text.as_bytes()) {
        let around = &bytes[at.saturating_sub(80)..(at + 60).min(bytes.len())];
        panic!("{text} in {}", String::from_utf8_lossy(around));
    }
}

fn law(commits: &[Commit]) {
    let book = Book::default();
    let mut call = Concealer.call();
    let (caller, called) = (book.number(&format!("tel:{CALLER}")), book.number(&format!("tel:{CALLED}")));
    for commit in commits {
        let (encoded, sealed) = seal(&mut *call, &book, commit);
        assert!(opened(&sealed, &[]) == encoded, "it comes back byte for byte");
        nothing_of(CALLER, Sealed::read(&sealed).unwrap().template());
        for (party, number, address) in [(caller, CALLER, Some("198.51.100.7")), (called, CALLED, None)] {
            let left = opened(&sealed, &[party]);
            nothing_of(number, &left);
            address.iter().for_each(|address| nothing_of(address, &left));
            let decoded = schema::decode(&left).unwrap();
            assert_eq!((decoded.call, decoded.version, decoded.at), (commit.call, commit.version, commit.at));
            assert_eq!(decoded.events.len(), commit.events.len());
        }
        let bare = schema::decode(&sealed).unwrap();
        assert_eq!(bare.wire.len(), commit.wire.len());
    }
}

/// Texts that are nearly addresses, and have the caller's number in them now and then.
fn texts() -> impl Strategy<Value = Vec<String>> {
    let text =
        "(sips?:|tel:|\"|<|>|@|\\[|\\]|;|,|é|[0-9]{1,9}|4930987654321|[a-z.]{1,6}| |\\\\|%2|\\+){0,12}";
    proptest::collection::vec(text, 9)
}

/// A phone's INVITE with pieces cut out, doubled or exchanged for something personal.
fn messages() -> impl Strategy<Value = Vec<u8>> {
    let pieces = ["", CALLER, "+49 30 987654321", "\r\n ", "\r\n\r\n", "<sip:", "\"", "\u{e9}", "\u{0}"];
    let edit = (any::<prop::sample::Index>(), 0..40usize, prop::sample::select(pieces.to_vec()));
    let mutated = proptest::collection::vec(edit, 0..6).prop_map(|edits| {
        let mut message = common::realistic_invite();
        for (at, length, piece) in edits {
            let at = at.index(message.len());
            let end = (at + length).min(message.len());
            message.splice(at..end, piece.bytes());
        }
        message
    });
    prop_oneof![mutated, proptest::collection::vec(any::<u8>(), 0..300)]
}

proptest! {
    #[test]
    fn what_a_stranger_wrote_comes_back_or_is_gone(
        texts in texts(),
        wire in proptest::collection::vec(messages(), 0..3),
        more in proptest::collection::vec(messages(), 0..2),
    ) {
        law(&[commit(0, &texts, wire), commit(2, &texts, more)]);
    }

    #[test]
    fn damaged_bytes_are_refused_or_read(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let commit = commit(0, &[], vec![common::realistic_invite()]);
        let (_, mut sealed) = seal(&mut *Concealer.call(), &Book::default(), &commit);
        let at = at.index(sealed.len());
        sealed[at] = byte;
        if let Ok(read) = Sealed::read(&sealed) {
            let contents: Vec<_> = read.boxes().iter().map(|boxed| Some(boxed.bytes.to_vec())).collect();
            let _ = read.opened(&contents);
            let none: Vec<_> = read.boxes().iter().map(|_| None).collect();
            let _ = read.opened(&none);
        }
    }
}

#[test]
fn messages_that_are_taken_out_as_a_whole_come_back_too() {
    let commit = commit(0, &[], vec![common::realistic_invite(), b"\xff".to_vec()]);
    let encoded = schema::encode(&commit).unwrap();
    let concealed = Concealer.call().commit(&commit, &encoded, Extent::Messages, &Book::default()).unwrap();
    let sealed = sealed::seal::<CodecError>(&concealed, |_, _, content| Ok(content)).unwrap();
    assert!(opened(&sealed, &[]) == encoded);
    assert!(schema::decode(&sealed).unwrap().wire.iter().all(|message| message.bytes.is_empty()));
}

#[test]
fn torture_messages_come_back_or_are_gone() {
    let Some(shared) = common::shared() else { return };
    let mut files = vec![shared];
    let mut found = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.metadata().is_ok_and(|meta| meta.len() < 60_000) {
            found += 1;
            law(&[commit(0, &[], vec![std::fs::read(path).unwrap()])]);
        }
    }
    assert!(found > 0);
}

#[test]
fn somebody_is_known_by_a_number_or_an_address_however_it_is_written() {
    for (text, identity) in [
        ("+49 30 98-765", "tel:493098765"),
        ("tel:+493098765", "tel:493098765"),
        ("sip:+493098765@example.com;user=phone", "tel:493098765"),
        ("sips:Alice@EXAMPLE.com:5061", "sip:Alice@example.com"),
        ("alice@example.com", "sip:alice@example.com"),
        ("anonymous", "anonymous"),
        ("sip:anonymous@anonymous.invalid", "anonymous"),
    ] {
        assert_eq!(Concealer.identity(text).as_deref(), Ok(identity), "{text}");
    }
    for text in ["", "alice", "sip:example.com", "urn:uuid:0"] {
        assert!(Concealer.identity(text).is_err(), "{text}");
    }
}
