//! Last of all, the words: a phrase is the weakest testimony.

use super::super::families::Cause;
use super::super::vocabulary::Rulebook;
use super::Claim;
use crate::sip::Reason;

/// Words, what they claim, and since which rulebook. The first that is found counts, so the more precise ones stand
/// before those that are part of them.
const WORDS: &[(&str, Cause, Rulebook)] = &[
    ("declined elsewhere", Cause::DeclinedElsewhere, Rulebook::V1_1),
    ("picked up elsewhere", Cause::AnsweredElsewhere, Rulebook::V1_1),
    ("picked off", Cause::PickedUp, Rulebook::V1_1),
    ("picked up", Cause::PickedUp, Rulebook::V1_1),
    ("pickup by", Cause::PickedUp, Rulebook::V1_1),
    ("lose race", Cause::ForkLost, Rulebook::V1_1),
    ("srtp", Cause::MediaSecurityFailed, Rulebook::V1_1),
    ("dtls", Cause::MediaSecurityFailed, Rulebook::V1_1),
    ("elsewhere", Cause::AnsweredElsewhere, Rulebook::V1_0),
    ("hung up", Cause::Hangup, Rulebook::V1_0),
    ("hangup", Cause::Hangup, Rulebook::V1_0),
    ("hang up", Cause::Hangup, Rulebook::V1_0),
    ("user ends call", Cause::Hangup, Rulebook::V1_1),
    ("busy", Cause::Busy, Rulebook::V1_0),
    ("no answer", Cause::NoAnswer, Rulebook::V1_0),
    ("noanswer", Cause::NoAnswer, Rulebook::V1_0),
    ("no pickup", Cause::NoAnswer, Rulebook::V1_1),
    ("no user response", Cause::NoAnswer, Rulebook::V1_1),
    ("rtp", Cause::MediaTimeout, Rulebook::V1_0),
    ("media timeout", Cause::MediaTimeout, Rulebook::V1_0),
    ("media bearer", Cause::MediaTimeout, Rulebook::V1_1),
    ("no ack", Cause::AckMissing, Rulebook::V1_1),
    ("ack missing", Cause::AckMissing, Rulebook::V1_1),
    ("prack", Cause::PrackMissing, Rulebook::V1_1),
    ("session timer", Cause::SessionExpired, Rulebook::V1_1),
    ("session expired", Cause::SessionExpired, Rulebook::V1_1),
    ("keepalive", Cause::KeepaliveLost, Rulebook::V1_1),
    ("keep-alive", Cause::KeepaliveLost, Rulebook::V1_1),
    ("conference ended", Cause::ConferenceEnded, Rulebook::V1_1),
    ("conference closed", Cause::ConferenceEnded, Rulebook::V1_1),
    ("conference terminated", Cause::ConferenceEnded, Rulebook::V1_1),
    ("blind transfer", Cause::Transferred, Rulebook::V1_1),
    ("attended transfer", Cause::Transferred, Rulebook::V1_1),
    ("transferred", Cause::Transferred, Rulebook::V1_1),
    ("replaced", Cause::Replaced, Rulebook::V1_1),
    ("credit", Cause::CreditExhausted, Rulebook::V1_1),
    ("insufficient funds", Cause::CreditExhausted, Rulebook::V1_1),
    ("allotted timeout", Cause::MaxDuration, Rulebook::V1_1),
    ("max duration", Cause::MaxDuration, Rulebook::V1_1),
    ("maximum duration", Cause::MaxDuration, Rulebook::V1_1),
    ("inactivity", Cause::Idle, Rulebook::V1_1),
    ("idle", Cause::Idle, Rulebook::V1_1),
    ("ice fail", Cause::IceFailed, Rulebook::V1_1),
    ("consent", Cause::ConsentExpired, Rulebook::V1_1),
    ("sound device", Cause::DeviceFailed, Rulebook::V1_1),
    ("audio device", Cause::DeviceFailed, Rulebook::V1_1),
    ("shutdown", Cause::Shutdown, Rulebook::V1_1),
    ("shutting down", Cause::Shutdown, Rulebook::V1_1),
    ("manager request", Cause::AdminKill, Rulebook::V1_1),
    ("administrator", Cause::AdminKill, Rulebook::V1_1),
    ("out of resources", Cause::ResourcesExhausted, Rulebook::V1_1),
    ("out of memory", Cause::ResourcesExhausted, Rulebook::V1_1),
    ("too many calls", Cause::RateLimited, Rulebook::V1_1),
    ("rate limit", Cause::RateLimited, Rulebook::V1_1),
    ("preempt", Cause::Preempted, Rulebook::V1_1),
    ("not registered", Cause::NotRegistered, Rulebook::V1_1),
    ("missing sdp", Cause::MissingMedia, Rulebook::V1_1),
    ("no sdp", Cause::MissingMedia, Rulebook::V1_1),
    ("unsolicited", Cause::Unsolicited, Rulebook::V1_1),
];

/// What the words of a Reason value claim.
pub(super) fn claim(rulebook: Rulebook, reason: &Reason) -> Claim {
    let text = format!("{} {}", reason.text.as_deref().unwrap_or(""), reason.raw);
    found(rulebook, &text).map_or(Claim::Nothing, Claim::Cause)
}

/// What a text claims. FreeSWITCH writes its words with underscores.
pub(in crate::verdict) fn found(rulebook: Rulebook, text: &str) -> Option<Cause> {
    let text = text.to_ascii_lowercase();
    let text = if rulebook == Rulebook::V1_0 { text } else { text.replace('_', " ") };
    let mut known = WORDS.iter().filter(|(_, _, since)| *since <= rulebook);
    known.find(|(words, _, since)| has(&text, words, *since)).map(|(_, cause, _)| *cause)
}

/// Whether the text has these words. The first rulebook heard them inside of other words, too.
fn has(text: &str, words: &str, since: Rulebook) -> bool {
    let begins_a_word = |at: usize| !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
    text.match_indices(words).any(|(at, _)| since == Rulebook::V1_0 || begins_a_word(at))
}
