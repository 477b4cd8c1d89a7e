//! The words of a step as the digest of a message: `183 sdp q850=17 tag=server`.

use callbox_events::sip::{Clues, Diversion, MediaDirection, Reason, Request, Response, Sdp};

/// What follows a step's name.
pub struct Words<'a>(pub Vec<&'a str>);

impl<'a> Words<'a> {
    pub fn has(&self, word: &str) -> bool {
        self.0.contains(&word)
    }

    pub fn value(&self, key: &str) -> Option<&'a str> {
        self.values(key).next()
    }

    pub fn values<'b>(&'b self, key: &'b str) -> impl Iterator<Item = &'a str> + 'b {
        self.0.iter().filter_map(move |word| word.strip_prefix(key)?.strip_prefix('='))
    }
}

pub fn response(status: u16, words: &Words<'_>) -> Response {
    let tag = words.value("tag").unwrap_or("b");
    Response {
        status,
        phrase: words
            .value("phrase")
            .map_or_else(|| phrase(status).to_owned(), |text| text.replace('_', " ")),
        to_tag: (tag != "none").then(|| tag.to_owned()),
        reasons: reasons(words),
        sdp: sdp(words),
        clues: clues(words),
        rseq: words.value("rseq").map(|text| text.parse().unwrap()),
        contacts: contacts(status, words),
        ..Response::default()
    }
}

pub fn request(method: &str, words: &Words<'_>) -> Request {
    Request {
        method: method.into(),
        cseq: words.value("cseq").map_or(2, |text| text.parse().unwrap()),
        reasons: reasons(words),
        sdp: sdp(words),
        clues: clues(words),
        ..Request::default()
    }
}

fn sdp(words: &Words<'_>) -> Option<Sdp> {
    let direction = if words.has("sendonly") {
        MediaDirection::SendOnly
    } else if words.has("inactive") {
        MediaDirection::Inactive
    } else if words.has("sdp") {
        MediaDirection::SendRecv
    } else {
        return None;
    };
    Some(Sdp { origin: words.value("origin").unwrap_or("192.0.2.7").to_owned(), direction })
}

pub fn reasons(words: &Words<'_>) -> Vec<Reason> {
    let location = words.value("location").map(str::to_owned);
    let text = words.value("text").map(|text| text.replace('_', " "));
    let mut reasons: Vec<Reason> = Vec::new();
    reasons.extend(words.values("sip").map(|cause| Reason::sip(cause.parse().unwrap(), "")));
    reasons.extend(words.values("q850").map(|cause| Reason::q850(cause.parse().unwrap(), "")));
    for reason in &mut reasons {
        reason.location.clone_from(&location);
        reason.text.clone_from(&text);
    }
    reasons.extend(words.values("raw").map(|raw| {
        let raw = spaced(raw).replace(',', ";");
        let mut parts = raw.split(';');
        let protocol = parts.next().unwrap_or_default().to_owned();
        let cause = parts.find_map(|part| part.strip_prefix("cause=")?.parse().ok());
        Reason { protocol, cause, raw, ..Reason::default() }
    }));
    reasons
}

/// Underscores between quotes are spaces.
fn spaced(raw: &str) -> String {
    let parts = raw.split('"').enumerate();
    let parts: Vec<String> = parts
        .map(|(index, part)| if index % 2 == 1 { part.replace('_', " ") } else { part.to_owned() })
        .collect();
    parts.join("\"")
}

/// A redirection leads to Carol unless it is said to lead elsewhere, or nowhere.
fn contacts(status: u16, words: &Words<'_>) -> Vec<String> {
    match words.value("to") {
        _ if !(300..400).contains(&status) => Vec::new(),
        Some("nowhere") => Vec::new(),
        Some(uri) => vec![uri.replace(',', ";")],
        None => vec!["sip:carol@c.example".to_owned()],
    }
}

fn clues(words: &Words<'_>) -> Clues {
    Clues {
        diversions: words
            .values("diverted")
            .map(|why| Diversion {
                cause: why.parse().ok(),
                reason: why.parse::<u16>().is_err().then(|| why.to_owned()),
            })
            .collect(),
        automata: words.has("automata"),
        contact_host: words.value("contact").map(str::to_owned),
        software: words.value("software").map(str::to_owned),
        early_media: words.value("early-media").map(str::to_owned),
        hangup_code: words.value("asterisk").map(|text| text.parse().unwrap()),
        warnings: words.values("warning").map(|text| text.replace('_', " ")).collect(),
        retry_after: words.value("retry").map(|text| text.parse().unwrap()),
        ..Clues::default()
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        183 => "Session Progress",
        200 => "OK",
        302 => "Moved Temporarily",
        408 => "Request Timeout",
        480 => "Temporarily Unavailable",
        486 => "Busy Here",
        487 => "Request Terminated",
        603 => "Decline",
        _ => "As Sent",
    }
}
