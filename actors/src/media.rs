//! The seam to the media: who supplies session descriptions.
//!
//! The engine carries no RTP. An adapter describes what the application's media stack offers; the built-in one says
//! PCMU at a fixed port and is enough for signalling.

use std::fmt::Debug;
use std::net::IpAddr;

use callbox_events::CallId;
use callbox_events::sip::MediaDirection;

/// What an adapter is told of the session to describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Which call.
    pub call: CallId,
    /// The address that the other side can reach us at.
    pub local: IpAddr,
    /// In which direction our media shall flow.
    pub direction: MediaDirection,
    /// How many descriptions this call had before: the version in `o=` (RFC 8866 §5.2).
    pub version: u64,
}

/// Supplies the session descriptions (RFC 3264). Called on the engine's thread: must not block.
pub trait MediaAdapter: Send + Sync + Debug {
    /// Our offer.
    fn offer(&self, session: &Session) -> String;

    /// Our answer to `offer`.
    fn answer(&self, session: &Session, offer: &str) -> String;
}

/// The built-in adapter: one audio stream, PCMU, at a port where nobody listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaticPcmu {
    /// The port in `m=`.
    pub port: u16,
}

impl Default for StaticPcmu {
    /// Port 9, discard: the usual word for "no port yet".
    fn default() -> Self {
        Self { port: 9 }
    }
}

impl MediaAdapter for StaticPcmu {
    fn offer(&self, session: &Session) -> String {
        description(session, session.direction, &[format!("m=audio {} RTP/AVP 0", self.port)])
    }

    fn answer(&self, session: &Session, offer: &str) -> String {
        let mut audio = false;
        let streams: Vec<String> = offer
            .lines()
            .filter_map(|line| line.strip_prefix("m="))
            .map(|stream| self.answer_stream(stream, &mut audio))
            .collect();
        description(session, answering(offered(offer), session.direction), &streams)
    }
}

impl StaticPcmu {
    /// Takes the first audio stream and refuses the others with port 0 (RFC 3264 §6).
    fn answer_stream(self, stream: &str, audio: &mut bool) -> String {
        let mut words = stream.split_ascii_whitespace();
        let (kind, _port, protocol) = (words.next(), words.next(), words.next().unwrap_or("RTP/AVP"));
        let formats: Vec<&str> = words.collect();
        let format = if formats.contains(&"0") { "0" } else { formats.first().copied().unwrap_or("0") };
        let take = kind == Some("audio") && !*audio;
        *audio |= take;
        format!("m={} {} {protocol} {format}", kind.unwrap_or("audio"), if take { self.port } else { 0 })
    }
}

/// The direction of the offer's first stream, or of the session.
fn offered(offer: &str) -> MediaDirection {
    offer
        .lines()
        .find_map(|line| match line.trim_end() {
            "a=sendonly" => Some(MediaDirection::SendOnly),
            "a=recvonly" => Some(MediaDirection::RecvOnly),
            "a=inactive" => Some(MediaDirection::Inactive),
            "a=sendrecv" => Some(MediaDirection::SendRecv),
            _ => None,
        })
        .unwrap_or_default()
}

/// What may be answered to an offered direction, given what we want (RFC 3264 §6.1).
fn answering(offered: MediaDirection, wanted: MediaDirection) -> MediaDirection {
    use MediaDirection::{Inactive, RecvOnly, SendOnly, SendRecv};
    let (they_send, they_receive) = flows(offered);
    let (we_send, we_receive) = flows(wanted);
    match (we_send && they_receive, we_receive && they_send) {
        (true, true) => SendRecv,
        (true, false) => SendOnly,
        (false, true) => RecvOnly,
        (false, false) => Inactive,
    }
}

fn flows(direction: MediaDirection) -> (bool, bool) {
    match direction {
        MediaDirection::SendRecv => (true, true),
        MediaDirection::SendOnly => (true, false),
        MediaDirection::RecvOnly => (false, true),
        MediaDirection::Inactive => (false, false),
    }
}

fn description(session: &Session, direction: MediaDirection, streams: &[String]) -> String {
    let (net, address) = (if session.local.is_ipv4() { "IP4" } else { "IP6" }, session.local);
    let direction = match direction {
        MediaDirection::SendRecv => "sendrecv",
        MediaDirection::SendOnly => "sendonly",
        MediaDirection::RecvOnly => "recvonly",
        MediaDirection::Inactive => "inactive",
    };
    let id = u32::from_be_bytes(session.call.as_bytes().last_chunk::<4>().copied().unwrap_or_default());
    let (id, version, address) = (id.to_string(), session.version.to_string(), address.to_string());
    // Put together by hand, as every answer needs one: formatting costs several times as much.
    #[rustfmt::skip]
    let mut text = [
        "v=0\r\no=callbox ", &id, " ", &version, " IN ", net, " ", &address,
        "\r\ns=-\r\nc=IN ", net, " ", &address, "\r\nt=0 0\r\na=", direction, "\r\n",
    ]
    .concat();
    for stream in streams {
        text.push_str(stream);
        text.push_str("\r\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use callbox_events::{Role, Timestamp};

    use super::*;

    fn session(direction: MediaDirection) -> Session {
        let call = CallId::derive(Timestamp::from_micros(0), Role::Caller, "a", "b", 1);
        Session { call, local: IpAddr::from([192, 0, 2, 1]), direction, version: 3 }
    }

    #[test]
    fn an_answer_takes_the_first_audio_stream_and_refuses_the_rest() {
        let offer = "v=0\r\nm=video 4 RTP/AVP 99\r\nm=audio 6 RTP/AVP 8 0\r\nm=audio 8 RTP/AVP 0\r\n";
        let answer = StaticPcmu { port: 4000 }.answer(&session(MediaDirection::SendRecv), offer);
        let streams: Vec<&str> = answer.lines().filter(|line| line.starts_with("m=")).collect();
        assert_eq!(streams, ["m=video 0 RTP/AVP 99", "m=audio 4000 RTP/AVP 0", "m=audio 0 RTP/AVP 0"]);
    }

    #[test]
    fn a_held_side_only_receives() {
        let answer = StaticPcmu::default()
            .answer(&session(MediaDirection::SendRecv), "m=audio 6 RTP/AVP 0\r\na=sendonly\r\n");
        assert!(answer.contains("a=recvonly"), "{answer}");
        let both = StaticPcmu::default()
            .answer(&session(MediaDirection::SendOnly), "m=audio 6 RTP/AVP 0\r\na=sendonly\r\n");
        assert!(both.contains("a=inactive"), "{both}");
    }
}
