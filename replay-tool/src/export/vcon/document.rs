//! A call as a vCon.
//!
//! - `parties`: 0 the caller, 1 the called.
//! - `dialog`: `recording` without content for a call that was answered (media are not ours), with who joined, held and
//!   left; `incomplete` with its disposition for one that was not. None for a call that still rings.
//! - `analysis`: the verdict, as in `why --json`.
//! - `attachments`: the statement of completeness; with `--events` also what was recorded, as in `show --json`.

use callbox_events::Role;
use callbox_events::call::Event;
use callbox_events::sip::MediaDirection;
use callbox_events::verdict::{Cause, Family};
use callbox_events::view::CallSummary;
use callbox_events::{CallId, Side, Timestamp};
use callbox_sip::wire::NameAddr;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Circumstances;
use crate::export::call::Call;

/// Its UUID, and the document.
pub fn of(call: &Call, about: &Circumstances) -> (String, Value) {
    let summary = &call.summary;
    let original = uuid(*summary.call_id.as_bytes());
    let own = match about.redacted {
        Some(level) => uuid(redacted(summary.call_id, level)),
        None => original.clone(),
    };
    let dialog = dialog(call);
    let mut document = json!({
        "vcon": "0.4.0",
        "uuid": own,
        "created_at": about.now.to_string(),
        "parties": parties(call),
        "dialog": dialog,
        "analysis": [analysis(call, !dialog.is_empty())],
        "attachments": attachments(call, about, !dialog.is_empty()),
    });
    if let (Some(level), Some(fields)) = (about.redacted, document.as_object_mut()) {
        fields.insert("redacted".into(), json!({"uuid": original, "type": level}));
    }
    (own, document)
}

/// A version 8 UUID (RFC 9562 §5.8): the call's id, whose first 48 bits are milliseconds as in version 7. The same call
/// has the same one in every export.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = 0x80 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The redacted version is another vCon, with the same time.
fn redacted(call: CallId, level: &str) -> [u8; 16] {
    let mut bytes = *call.as_bytes();
    let mut hash = Sha256::new();
    hash.update(level);
    hash.update(bytes);
    bytes.iter_mut().skip(6).zip(hash.finalize()).for_each(|(place, byte)| *place = byte);
    bytes
}

fn parties(call: &Call) -> Vec<Value> {
    let dialog = call.first().and_then(|commit| commit.first_dialog());
    let (local, remote) =
        dialog.map_or(("", ""), |dialog| (dialog.local_uri.as_str(), dialog.remote_uri.as_str()));
    let (from, to) =
        if call.why.local_side == Some(Role::Callee) { (remote, local) } else { (local, remote) };
    vec![party(&call.summary.from, from), party(&call.summary.to, to)]
}

fn party(uri: &str, address: &str) -> Value {
    let mut party = Map::new();
    let key =
        if uri.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("tel:")) { "tel" } else { "sip" };
    party.insert(key.into(), uri.into());
    let name =
        NameAddr::parse(address).ok().and_then(|address| address.display().map(|name| name.into_owned()));
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        party.insert("name".into(), name.into());
        // Claimed by the other side or configured here; nobody checked it.
        party.insert("validation".into(), "none".into());
    }
    party.into()
}

fn dialog(call: &Call) -> Vec<Value> {
    let summary = &call.summary;
    let mut dialog =
        json!({"start": summary.started_at.to_string(), "parties": [0, 1], "application": "SIP"});
    let Some(fields) = dialog.as_object_mut() else { return Vec::new() };
    if summary.answered_at.is_some() {
        fields.insert("type".into(), "recording".into());
        if let Some(duration) = summary.duration_ms {
            fields.insert("duration".into(), seconds(duration));
        }
        fields.insert("start".into(), summary.answered_at.unwrap_or(summary.started_at).to_string().into());
        fields.insert("party_history".into(), history(call).into());
    } else if !summary.is_live() {
        fields.insert("type".into(), "incomplete".into());
        fields.insert("disposition".into(), disposition(call.why.verdict.cause).into());
    } else {
        return Vec::new();
    }
    vec![dialog]
}

#[allow(clippy::cast_precision_loss, reason = "no call lasts 2^52 milliseconds")]
fn seconds(millis: u64) -> Value {
    json!(millis as f64 / 1_000.0)
}

/// Who joined, held and left.
fn history(call: &Call) -> Vec<Value> {
    let mut history = Vec::new();
    let mut add = |party: u8, at: Timestamp, event: &str| {
        history.push(json!({"party": party, "time": at.to_string(), "event": event}));
    };
    if let Some(at) = call.summary.answered_at {
        add(0, at, "join");
        add(1, at, "join");
    }
    for commit in call.commits.iter().map(|stored| &stored.commit) {
        for happened in &commit.events {
            if let Event::Media(media) = &happened.event {
                // Who is held is the other one.
                let held = u8::from(media.by == Side::Caller);
                let event = match media.direction {
                    MediaDirection::SendOnly | MediaDirection::Inactive => "hold",
                    MediaDirection::SendRecv | MediaDirection::RecvOnly => "unhold",
                };
                add(held, commit.at, event);
            }
        }
    }
    if let Some(at) = call.summary.ended_at {
        let first = u8::from(call.why.verdict.ended_by.side == Side::Callee);
        add(first, at, "drop");
        add(1 - first, at, "drop");
    }
    history
}

/// One of the draft's six words for a call that came to nothing.
fn disposition(cause: Cause) -> &'static str {
    match cause.family() {
        Family::Unanswered | Family::Elsewhere => "no-answer",
        Family::Refused if matches!(cause, Cause::Busy | Cause::BusyEverywhere) => "busy",
        Family::Abandoned => "hung-up",
        Family::Overloaded => "congestion",
        Family::Refused
        | Family::Cleared
        | Family::Moved
        | Family::Unreachable
        | Family::Blocked
        | Family::Incompatible
        | Family::SignallingLost
        | Family::MediaLost
        | Family::Limit
        | Family::Protocol
        | Family::LocalSystem
        | Family::Unknown => "failed",
    }
}

fn analysis(call: &Call, has_dialog: bool) -> Value {
    let mut analysis = json!({
        "type": "summary",
        "vendor": "callbox",
        "product": format!("rulebook {}", call.why.verdict.rulebook),
        "schema": "callbox why 1",
        "mediatype": "application/json",
        "encoding": "json",
        "body": text(&call.why),
    });
    if let Some(fields) = analysis.as_object_mut().filter(|_| has_dialog) {
        fields.insert("dialog".into(), 0.into());
    }
    analysis
}

fn attachments(call: &Call, about: &Circumstances, has_dialog: bool) -> Vec<Value> {
    let party = u8::from(call.why.local_side == Some(Role::Callee));
    let attach = |purpose: &str, body: String| {
        let mut attachment = json!({
            "purpose": purpose,
            "start": call.summary.started_at.to_string(),
            "party": party,
            "mediatype": "application/json",
            "encoding": "json",
            "body": body,
        });
        if let Some(fields) = attachment.as_object_mut().filter(|_| has_dialog) {
            fields.insert("dialog".into(), 0.into());
        }
        attachment
    };
    let mut attachments = vec![attach("completeness", text(&completeness(call, about)))];
    if about.events {
        let events: Vec<_> = call.commits.iter().flat_map(|stored| stored.recorded()).collect();
        attachments.push(attach("events", text(&events)));
    }
    attachments
}

/// What the journal vouches for: these events, all of them, in this order.
fn completeness(call: &Call, about: &Circumstances) -> Value {
    let (first, last) = (call.commits.first(), call.commits.last());
    let end = last.map_or(0, |last| last.commit.version + last.commit.events.len() as u64);
    let link: String =
        last.map(|last| last.hash.iter().map(|byte| format!("{byte:02x}")).collect()).unwrap_or_default();
    json!({
        "statement": "the journal holds these events of the call, all of them, up to the watermark",
        "call_id": call.summary.call_id,
        "first_event": first.map(|first| first.commit.version),
        "last_event": end.saturating_sub(1),
        "first_seq": first.map(|first| first.seq),
        "last_seq": last.map(|last| last.seq + (last.commit.events.len() as u64).saturating_sub(1)),
        "watermark": about.watermark,
        "released": is_released(&call.summary, call),
        "completeness": call.why.verdict.completeness.code(),
        "chain": {
            "algorithm": "SHA-256 over the link before and the encoded commit; 32 zero bytes before the first",
            "link": link,
            "over": if about.redacted.is_some() { "the redacted commits" } else { "the recorded commits" },
        },
    })
}

/// Nothing can follow: the record has its last event.
fn is_released(summary: &CallSummary, call: &Call) -> bool {
    let events = call.commits.iter().flat_map(|stored| &stored.commit.events);
    !summary.is_live() && events.into_iter().any(|happened| matches!(happened.event, Event::Released(_)))
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
