//! Recorded values: walked by name, so that a field that is added later is looked at too.

use callbox_events::schema::{Commit, WireMessage};
use serde_json::Value;

use super::Scope;
use super::text::Mode;

/// Fields for people, or in the words of strangers.
const PROSE: [&str; 8] =
    ["detail", "text", "phrase", "warnings", "software", "early_media", "hangup_cause", "reason"];

/// Addresses, and tokens of SIP that often have hosts or numbers in them.
const TOKENS: [&str; 17] = [
    "from",
    "to",
    "local_uri",
    "remote_uri",
    "remote_target",
    "local_contact",
    "new_target",
    "route_set",
    "contacts",
    "contact",
    "sip_call_id",
    "local_tag",
    "remote_tag",
    "to_tag",
    "invite_branch",
    "raw",
    "location",
];

/// The commit without what is personal.
///
/// # Errors
/// In words, if the rewritten values are no commit any more, which is a mistake in here.
pub fn redact(scope: &mut Scope<'_>, commit: &Commit) -> Result<Commit, String> {
    // Messages are bytes; they need not go through JSON.
    let bare = Commit { wire: Vec::new(), ..commit.clone() };
    let mut value = serde_json::to_value(&bare).map_err(|error| error.to_string())?;
    walk(scope, "", &mut value);
    let mut redacted: Commit = serde_json::from_value(value).map_err(|error| error.to_string())?;
    redacted.wire =
        commit.wire.iter().map(|message| self::message(scope, message)).collect::<Result<_, _>>()?;
    Ok(redacted)
}

/// A message with what is recorded about it.
fn message(scope: &mut Scope<'_>, message: &WireMessage) -> Result<WireMessage, String> {
    let bare = WireMessage { bytes: Vec::new(), ..message.clone() };
    let mut value = serde_json::to_value(&bare).map_err(|error| error.to_string())?;
    walk(scope, "", &mut value);
    let mut redacted: WireMessage = serde_json::from_value(value).map_err(|error| error.to_string())?;
    redacted.bytes = scope.message(&message.bytes);
    Ok(redacted)
}

fn walk(scope: &mut Scope<'_>, name: &str, value: &mut Value) {
    match value {
        Value::String(text) => *text = string(scope, name, text),
        Value::Array(values) => values.iter_mut().for_each(|value| walk(scope, name, value)),
        Value::Object(fields) => {
            // `origin` is a host in a session description; elsewhere it is a code.
            let is_sdp = fields.contains_key("direction");
            for (name, value) in fields.iter_mut() {
                let name = if name == "origin" && is_sdp { "contact_host" } else { name.as_str() };
                walk(scope, name, value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn string(scope: &mut Scope<'_>, name: &str, text: &str) -> String {
    match name {
        "call" => text.to_owned(),
        "addr" => address(scope, text),
        "contact_host" | "node" => scope.host(text),
        _ if PROSE.contains(&name) => scope.text(text, Mode::Prose),
        _ if TOKENS.contains(&name) => scope.text(text, Mode::Token),
        _ => scope.text(text, Mode::Code),
    }
}

/// `192.0.2.1:5060`, `[2001:db8::1]:5060`.
fn address(scope: &Scope<'_>, text: &str) -> String {
    match text.parse::<std::net::SocketAddr>() {
        Ok(at) if scope.all => {
            std::net::SocketAddr::new(scope.pseudonyms.address(at.ip()), at.port()).to_string()
        }
        Ok(_) | Err(_) => text.to_owned(),
    }
}
