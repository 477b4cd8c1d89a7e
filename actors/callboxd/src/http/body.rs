//! What clients may send: strict JSON objects. Unknown fields are errors, so that a misspelt one is noticed.

use callbox_events::call::Note;
use callbox_events::party::Agent;
use callbox_events::verdict::Cause;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::error::ApiError;

/// Largest body accepted, in bytes.
pub const LARGEST: usize = 16 * 1024;

/// Longest text in a field, in bytes: SIP header lines are bounded too.
const LONGEST_TEXT: usize = 1024;

/// `POST /v1/calls`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceBody {
    /// Whom to call, as a URI.
    pub to: String,
    /// Who calls, as a URI; absent: the engine's own.
    pub from: Option<String>,
    /// Give up after this many milliseconds without an answer.
    pub no_answer_ms: Option<u64>,
}

/// `POST /v1/calls/{id}/hangup`. An empty body means a plain hang-up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HangupBody {
    /// Final status if this is a reject.
    pub status: Option<u16>,
    /// A text for the Reason header.
    pub reason: Option<String>,
    /// Who wants it; absent: the user.
    pub origin: Option<Agent>,
    /// Why: a code of the vocabulary of verdicts, such as `credit_exhausted`.
    pub cause: Option<String>,
}

/// `POST /v1/calls/{id}/note`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteBody {
    /// What was heard: `tone_busy`, `answered_by_party`, ...
    pub what: String,
}

/// `POST /v1/calls/{id}/divert`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DivertBody {
    /// Where to send the caller, as a URI.
    pub to: String,
}

/// A command without parameters: an empty body or `{}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoBody {}

/// Reads a body that must be there.
///
/// # Errors
/// 400 `invalid_json` if it is no JSON, 400 `invalid_field` if it is not the object that is wanted.
pub fn required<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => ApiError::bad_request("invalid_field", format!("the body does not fit: {error}")),
        Category::Syntax | Category::Eof | Category::Io => {
            ApiError::bad_request("invalid_json", format!("the body is no JSON: {error}"))
                .hint("send one JSON object, such as {\"to\":\"sip:bob@127.0.0.1:5070\"}")
        }
    })
}

/// Reads a body that may be empty.
///
/// # Errors
/// As [`required`].
pub fn optional<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) { Ok(T::default()) } else { required(body) }
}

impl HangupBody {
    /// Checks what the type can't.
    ///
    /// # Errors
    /// 400 `invalid_field`.
    pub fn check(self) -> Result<Self, ApiError> {
        if self.status.is_some_and(|status| !(300..700).contains(&status)) {
            return Err(ApiError::bad_request(
                "invalid_field",
                "status must be a final one, from 300 to 699",
            ));
        }
        if let Some(reason) = &self.reason {
            one_line("reason", reason)?;
        }
        Ok(self)
    }
}

/// The cause that a hang-up states.
///
/// # Errors
/// 400 `unknown_cause`, with those that may be stated.
pub fn stated_cause(code: &str) -> Result<Cause, ApiError> {
    code.parse::<Cause>().ok().filter(|cause| cause.can_be_stated()).ok_or_else(|| {
        let known: Vec<&str> =
            Cause::ALL.iter().filter(|cause| cause.can_be_stated()).map(|cause| cause.code()).collect();
        ApiError::bad_request("unknown_cause", "cause is no cause that an application can state")
            .hint(format!("one of {}", known.join(", ")))
    })
}

/// What an application noted.
///
/// # Errors
/// 400 `unknown_note`, with those that there are.
pub fn noted(what: &str) -> Result<Note, ApiError> {
    Note::from_code(what).ok_or_else(|| {
        ApiError::bad_request("unknown_note", "what is nothing that can be noted")
            .hint(format!("one of {}", Note::ALL.map(Note::code).join(", ")))
    })
}

/// Checks a text that ends up in a SIP header.
///
/// # Errors
/// 400 `invalid_field`.
pub fn one_line(field: &str, text: &str) -> Result<(), ApiError> {
    if text.len() > LONGEST_TEXT {
        return Err(ApiError::bad_request("invalid_field", format!("{field} exceeds {LONGEST_TEXT} bytes")));
    }
    if text.chars().any(char::is_control) {
        return Err(ApiError::bad_request("invalid_field", format!("{field} must be one line of text")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_mistake_has_its_own_code() {
        for (body, code) in [
            ("", "invalid_json"),
            ("{", "invalid_json"),
            ("not json", "invalid_json"),
            ("[]", "invalid_field"),
            ("{}", "invalid_field"),
            ("{\"to\":5}", "invalid_field"),
            ("{\"to\":\"sip:b@h\",\"colour\":1}", "invalid_field"),
            ("{\"to\":\"sip:b@h\"} x", "invalid_json"),
            ("{\"to\":\"sip:b@h\",\"no_answer_ms\":-1}", "invalid_field"),
        ] {
            let error = required::<PlaceBody>(body.as_bytes()).expect_err(body);
            assert!(error.to_string().contains(code), "{body}: {error}");
        }
    }

    #[test]
    fn a_cause_that_nobody_can_state_is_told_with_those_that_can() {
        assert_eq!(stated_cause("credit_exhausted"), Ok(Cause::CreditExhausted));
        for wrong in ["", "Busy", "engine_lost", "alive", "no_response", "CREDIT"] {
            let error = format!("{:?}", stated_cause(wrong).expect_err(wrong));
            assert!(error.contains("unknown_cause") && error.contains("media_timeout"), "{error}");
        }
        assert_eq!(noted("tone_busy"), Ok(Note::Tone(callbox_events::call::Tone::Busy)));
        assert!(noted("a bird").is_err());
    }

    #[test]
    fn a_hangup_needs_no_body_but_a_sensible_one() {
        assert_eq!(optional::<HangupBody>(b" \r\n").expect("empty"), HangupBody::default());
        let full = br#"{"status":486,"reason":"in a meeting","origin":"application"}"#;
        let full: HangupBody = optional(full).expect("full");
        assert_eq!(full.origin, Some(Agent::Application));
        for bad in [r#"{"status":200}"#, r#"{"status":700}"#, "{\"reason\":\"a\\r\\nEvil: 1\"}"] {
            let body: HangupBody = optional(bad.as_bytes()).expect(bad);
            assert!(body.check().is_err(), "{bad}");
        }
    }
}
