//! Headers that may betray an announcement, a diversion or a server (VERDICTS section 5).

use callbox_events::sip::{Clues, Diversion};

use crate::wire::{HeaderName, Message, SipUri};

/// Collects them. What occurs once at most is taken from its first occurrence.
#[must_use]
pub fn clues(message: &Message) -> Clues {
    let mut clues = Clues::default();
    for header in &message.headers {
        let value = header.value.as_str();
        match header.name {
            HeaderName::Server | HeaderName::UserAgent => {
                clues.software.get_or_insert_with(|| value.to_owned());
            }
            HeaderName::PEarlyMedia => {
                clues.early_media.get_or_insert_with(|| value.to_owned());
            }
            HeaderName::Warning => clues.warnings.push(value.to_owned()),
            HeaderName::XAsteriskHangupCause => {
                clues.hangup_cause.get_or_insert_with(|| value.to_owned());
            }
            HeaderName::HistoryInfo
            | HeaderName::Diversion
            | HeaderName::Contact
            | HeaderName::RetryAfter => {}
            _ => {}
        }
    }
    diversions(message, &mut clues);
    if let Some(contact) = message.contact() {
        clues.automata = contact.params.has("automata");
        clues.contact_host = SipUri::parse(contact.uri).ok().map(|uri| uri.host.to_owned());
    }
    clues.retry_after = message.retry_after().map(|retry| retry.seconds);
    clues
}

fn diversions(message: &Message, clues: &mut Clues) {
    let moved = message.history_info().filter(|entry| entry.cause.is_some());
    clues.diversions.extend(moved.map(|entry| Diversion { cause: entry.cause, reason: None }));
    let moved = message.diversions().filter_map(|entry| entry.reason);
    clues.diversions.extend(moved.map(|reason| Diversion { cause: None, reason: Some(reason.into_owned()) }));
}
