//! Finding the session description in a body.

use std::borrow::Cow;

use crate::wire::Message;

/// The session description: the whole body, or the first such part of a multipart one (RFC 5621).
#[must_use]
pub fn sdp_text(message: &Message) -> Option<Cow<'_, str>> {
    if message.body.is_empty() {
        return None;
    }
    let kind = message.content_type()?;
    if kind.is("application", "sdp") {
        return Some(text(&message.body));
    }
    let boundary = kind.kind.eq_ignore_ascii_case("multipart").then(|| kind.boundary())??;
    let body = text(&message.body);
    parts(&body, &boundary).find_map(sdp_part).map(|text| Cow::Owned(text.to_owned()))
}

/// The body as text. Nearly every one is UTF-8, and to check that is far cheaper than to look for what is not.
fn text(body: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed)
}

/// The parts between the delimiters (RFC 2046 §5.1.1).
fn parts<'a>(body: &'a str, boundary: &str) -> impl Iterator<Item = &'a str> {
    let delimiter = format!("--{boundary}");
    let pieces: Vec<&str> = body.split(delimiter.as_str()).skip(1).collect();
    pieces.into_iter().take_while(|piece| !piece.starts_with("--"))
}

fn sdp_part(part: &str) -> Option<&str> {
    let (head, body) = part.split_once("\r\n\r\n")?;
    let kind = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-type").then(|| value.trim())
    })?;
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/sdp").then_some(body)
}
