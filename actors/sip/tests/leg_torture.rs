//! The messages of RFC 4475 and RFC 5118 thrown at an engine without calls and at legs of every kind, where the shared
//! test data is at hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;
mod world;

use std::path::PathBuf;

use callbox_events::Timestamp;
use callbox_events::call::Effect;
use callbox_events::sip::Transport;
use callbox_sip::ids::SeededIds;
use callbox_sip::leg::{Leg, Outbox};
use callbox_sip::stateless;
use callbox_sip::wire::{Limits, parse};
use common::shared;
use world::{OFFER, address, call_to_b, config};

/// What an engine without calls answers; `call` is an INVITE that begins one, `silence` no answer at all.
fn answer(bytes: Vec<u8>) -> String {
    let (now, source, config) =
        (Timestamp::from_micros(1), address('a', Transport::Udp), config('b', Transport::Udp));
    let status = |reply: Option<callbox_sip::leg::Transmit>| match reply {
        Some(reply) => parse(reply.bytes, &Limits::default()).map_or_else(
            |_| "an echo of nonsense".to_owned(),
            |message| message.status().unwrap_or_default().to_string(),
        ),
        None => "silence".to_owned(),
    };
    let message = match parse(bytes.into(), &Limits::default()) {
        Ok(message) => message,
        Err(error) => return status(stateless::reject(&error, source, &config)),
    };
    if let Some(refusal) = stateless::verdict_of_unroutable(&message) {
        return status(stateless::refuse(&message, source, &refusal, &config));
    }
    if !message.is_request() || message.method().as_str() == "ACK" {
        return "silence".to_owned();
    }
    match Leg::incoming(&message, source, "t".into(), config.clone(), now) {
        Ok(_) => "call".to_owned(),
        Err(refusal) => status(stateless::refuse(&message, source, &refusal, &config)),
    }
}

fn files() -> Vec<PathBuf> {
    let Some(shared) = shared() else {
        println!("skipped: no shared test data");
        return Vec::new();
    };
    let mut all = Vec::new();
    for folder in ["rfc4475", "rfc5118"] {
        let entries = std::fs::read_dir(shared.join("torture").join(folder)).unwrap();
        all.extend(
            entries
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension() == Some("dat".as_ref())),
        );
    }
    all.sort();
    all
}

#[test]
fn an_engine_without_calls_answers_as_the_rfc_suggests() {
    let expected = [
        ("wsinv", "481"),        // §3.1.1.1: unusual white space, and a To tag of no dialog here
        ("intmeth", "501"),      // §3.1.1.2: an odd method is none that we know
        ("esc01", "call"),       // §3.1.1.3
        ("esc02", "501"),        // §3.1.1.5: RE%47IST%45R is not REGISTER
        ("semiuri", "200"),      // §3.1.1.9: OPTIONS
        ("mpart01", "405"),      // §3.1.1.11: MESSAGE
        ("unreason", "silence"), // §3.1.1.12: a response
        ("badvers", "505"),      // §3.1.2.16
        ("mismatch01", "400"),   // §3.1.2.17
        ("unkscm", "416"),       // §3.3.3: an unknown URI scheme
        ("novelsc", "416"),      // §3.3.4
        ("bext01", "420"),       // §3.3.6
        ("invut", "415"),        // §3.3.7
        ("zeromf", "200"),       // §3.3.11: OPTIONS for us
        ("bcast", "silence"),    // §3.3.10: a response with another's Via
    ];
    let mut wrong = Vec::new();
    for path in files() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let given = answer(std::fs::read(&path).unwrap());
        if let Some((_, wanted)) = expected.iter().find(|(known, wanted)| *known == name && *wanted != given)
        {
            wrong.push(format!("{name}: {given} instead of {wanted}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_torture_message_harms_a_leg() {
    let (now, peer) = (Timestamp::from_micros(1), address('b', Transport::Udp));
    let messages: Vec<_> = files()
        .iter()
        .filter_map(|path| parse(std::fs::read(path).unwrap().into(), &Limits::default()).ok())
        .collect();
    for first in &messages {
        let begun = Leg::incoming(first, peer, "t".into(), config('b', Transport::Udp), now);
        let mut ids = SeededIds::new(1);
        let mut caller =
            Leg::outgoing(call_to_b(Transport::Udp, &mut ids).into(), config('a', Transport::Udp));
        let mut out = Outbox::new();
        caller.perform(now, &Effect::SendInvite { peer }, Some(OFFER), &mut ids, &mut out).unwrap();
        for mut leg in begun.ok().map(|(leg, _)| leg).into_iter().chain([caller]) {
            for message in &messages {
                let _ = leg.claims(message);
                leg.receive(now, message.clone(), peer, &mut out);
            }
        }
    }
}
