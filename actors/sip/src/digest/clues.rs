//! Headers that may betray an announcement, a diversion or a server.

use callbox_events::sip::{Clues, Diversion};

use crate::wire::grammar::{Diversion as Diverted, HistoryInfo};
use crate::wire::{HeaderName, Message, SipUri};

/// Collects them in one pass: every message of a call comes through here, and most have few. What occurs once at most
/// is taken from its first occurrence; what can't be read is no clue.
#[must_use]
pub fn clues(message: &Message) -> Clues {
    let mut clues = Clues::default();
    for header in &message.headers {
        let value = header.value.as_str();
        match header.name {
            HeaderName::Server | HeaderName::UserAgent => first(&mut clues.software, value),
            HeaderName::PEarlyMedia => first(&mut clues.early_media, value),
            HeaderName::XAsteriskHangupCause => first(&mut clues.hangup_cause, value),
            HeaderName::XAsteriskHangupCauseCode => clues.hangup_code = value.trim().parse().ok(),
            HeaderName::Warning => clues.warnings.push(value.to_owned()),
            HeaderName::HistoryInfo => clues.diversions.extend(moved(value)),
            HeaderName::Diversion => clues.diversions.extend(diverted(value)),
            HeaderName::RetryAfter => clues.retry_after = message.retry_after().map(|retry| retry.seconds),
            _ => {}
        }
    }
    if let Some(contact) = message.contact() {
        clues.automata = contact.params.has("automata");
        clues.contact_host = SipUri::parse(contact.uri).ok().map(|uri| uri.host.to_owned());
    }
    clues
}

fn first(clue: &mut Option<String>, value: &str) {
    if clue.is_none() {
        *clue = Some(value.to_owned());
    }
}

/// An entry of History-Info that says why the call was moved on.
fn moved(value: &str) -> Option<Diversion> {
    let cause = HistoryInfo::parse(value).ok()?.cause?;
    Some(Diversion { cause: Some(cause), reason: None })
}

/// An entry of Diversion that does.
fn diverted(value: &str) -> Option<Diversion> {
    let reason = Diverted::parse(value).ok()?.reason?.into_owned();
    Some(Diversion { cause: None, reason: Some(reason) })
}
