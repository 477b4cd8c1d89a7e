//! An event in a few plain words, for people.

use crate::call::{Act, Alerting, Ended, Ending, Event, Media};
use crate::sip::{Counters, MediaDirection};

/// What `event` says, in a few words: `ringing (180)`, `ended: bye by callee/user`.
#[must_use]
pub fn gist(event: &Event) -> String {
    match event {
        Event::Placed(_) => "call placed".into(),
        Event::Sent { peer } => format!("INVITE leaves for {peer}"),
        Event::Offered(_) => "call offered".into(),
        Event::Progressed(alerting) => alert("progress", alerting),
        Event::Rang(alerting) => alert("ringing", alerting),
        Event::EarlyMedia(alerting) => alert("early media", alerting),
        Event::Answered(answer) => format!("answered ({})", answer.status),
        Event::Connected => "connected".into(),
        Event::Media(media) => media_gist(media),
        Event::MediaRequested { direction } => format!("asks for {}", words(*direction)),
        Event::MediaRefused { status } => format!("change of media refused ({status})"),
        Event::EndingSent => "the held end leaves now".into(),
        Event::Ending(ending) => ending_gist(ending),
        Event::Ended(ended) => ended_gist(ended),
        Event::Recovered(_) => "engine back, the call goes on".into(),
        Event::Released(counters) => released_gist(counters),
        Event::Noted(noted) => noted.what.replace('_', " "),
        Event::Observed(observed) if observed.midway => "call found in progress".into(),
        Event::Observed(_) => "call seen".into(),
        Event::FoundConnected => "in conversation, by what else was seen".into(),
        Event::CancelSeen => "the caller's CANCEL passes".into(),
        Event::EndSeen(end) => format!("ending: {} by {}", act(end.act), end.by),
    }
}

fn alert(word: &str, alerting: &Alerting) -> String {
    format!("{word} ({})", alerting.status)
}

fn media_gist(media: &Media) -> String {
    match media.direction {
        MediaDirection::SendOnly | MediaDirection::Inactive => format!("held by {}", media.by),
        MediaDirection::SendRecv => format!("media both ways, by {}", media.by),
        MediaDirection::RecvOnly => format!("media {}, by {}", words(media.direction), media.by),
    }
}

fn words(direction: MediaDirection) -> &'static str {
    match direction {
        MediaDirection::SendRecv => "sendrecv",
        MediaDirection::SendOnly => "hold (sendonly)",
        MediaDirection::RecvOnly => "recvonly",
        MediaDirection::Inactive => "hold (inactive)",
    }
}

fn ending_gist(ending: &Ending) -> String {
    let wait = if ending.held { ", waits for a provisional response" } else { "" };
    format!("ending: {} by {}{wait}", act(ending.act), ending.agent)
}

fn act(act: Act) -> String {
    act.code().replace('_', " ")
}

fn ended_gist(ended: &Ended) -> String {
    let mut text = format!("ended: {} by {}/{}", act(ended.act), ended.side, ended.agent);
    if let Some(status) = ended.status {
        text.push_str(&format!(", {status}"));
    }
    if ended.between.is_some() {
        text.push_str(", somewhere in an interval");
    }
    for note in &ended.notes {
        text.push_str(", ");
        text.push_str(&note.replace('_', " "));
    }
    text
}

/// `released`, with what was absorbed: `released; 2 sent again, 1 received again`.
fn released_gist(counters: &Counters) -> String {
    let counts = [
        (counters.sent_again, "sent again"),
        (counters.received_again, "received again"),
        (counters.stray, "stray"),
    ];
    let seen: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if seen.is_empty() { "released".into() } else { format!("released; {}", seen.join(", ")) }
}
