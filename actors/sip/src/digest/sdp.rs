//! A small reader of session descriptions (RFC 8866): who made it, and which way the audio flows.
//!
//! Nothing is refused: what can't be read counts as absent, since the media adapter reads the text in earnest.

use callbox_events::sip::{MediaDirection, Sdp};

use crate::wire::grammar::cut;

/// Reads what the verdict needs.
#[must_use]
pub fn read_sdp(text: &str) -> Sdp {
    let mut sdp = Sdp::default();
    let (mut session, mut audio) = (Section::default(), None::<Section>);
    let mut place = Place::Session;
    let mut rest = text;
    while !rest.is_empty() {
        let (line, behind) = cut(rest, b'\n').unwrap_or((rest, ""));
        rest = behind;
        let Some((kind, value)) = cut(line, b'=') else { continue };
        let value = value.trim_ascii();
        match kind {
            "o" => value.split_ascii_whitespace().nth(5).unwrap_or_default().clone_into(&mut sdp.origin),
            "m" => {
                let wanted = audio.is_none() && value.split_ascii_whitespace().next() == Some("audio");
                place = if wanted { Place::Audio } else { Place::Elsewhere };
                if wanted {
                    let closed = value.split_ascii_whitespace().nth(1) == Some("0");
                    audio = Some(Section { closed, ..Section::default() });
                }
            }
            _ => match place {
                Place::Session => session.read(kind, value),
                Place::Audio => audio.iter_mut().for_each(|section| section.read(kind, value)),
                Place::Elsewhere => {}
            },
        }
    }
    sdp.direction = direction(session, audio.unwrap_or_default());
    sdp
}

/// Which part of the description a line belongs to.
#[derive(Clone, Copy)]
enum Place {
    Session,
    Audio,
    Elsewhere,
}

#[derive(Clone, Copy, Default)]
struct Section {
    direction: Option<MediaDirection>,
    /// `c=` of all zeros: hold in the manner of RFC 2543.
    muted: Option<bool>,
    /// Port 0: no stream at all (RFC 3264 §8.2).
    closed: bool,
}

impl Section {
    fn read(&mut self, kind: &str, value: &str) {
        match kind {
            "a" => self.direction = direction_of(value).or(self.direction),
            "c" => {
                let address = value.split_ascii_whitespace().nth(2).unwrap_or_default();
                self.muted = Some(address == "0.0.0.0" || address.starts_with("0.0.0.0/"));
            }
            _ => {}
        }
    }
}

fn direction_of(attribute: &str) -> Option<MediaDirection> {
    match attribute {
        "sendrecv" => Some(MediaDirection::SendRecv),
        "sendonly" => Some(MediaDirection::SendOnly),
        "recvonly" => Some(MediaDirection::RecvOnly),
        "inactive" => Some(MediaDirection::Inactive),
        _ => None,
    }
}

fn direction(session: Section, audio: Section) -> MediaDirection {
    if audio.closed {
        return MediaDirection::Inactive;
    }
    let direction = audio.direction.or(session.direction).unwrap_or_default();
    let muted = audio.muted.or(session.muted).unwrap_or_default();
    match direction {
        MediaDirection::SendRecv if muted => MediaDirection::SendOnly,
        MediaDirection::RecvOnly if muted => MediaDirection::Inactive,
        MediaDirection::SendRecv
        | MediaDirection::SendOnly
        | MediaDirection::RecvOnly
        | MediaDirection::Inactive => direction,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sdp(lines: &[&str]) -> Sdp {
        read_sdp(&lines.join("\r\n"))
    }

    #[test]
    fn the_direction_is_that_of_the_first_audio_stream() {
        use MediaDirection::{Inactive, RecvOnly, SendOnly, SendRecv};
        let head = ["v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-"];
        for (lines, expected) in [
            (&["m=audio 4000 RTP/AVP 0"][..], SendRecv),
            (&["a=sendonly", "m=audio 4000 RTP/AVP 0"], SendOnly),
            (&["a=sendonly", "m=audio 4000 RTP/AVP 0", "a=recvonly"], RecvOnly),
            (&["m=video 4000 RTP/AVP 96", "a=inactive", "m=audio 4000 RTP/AVP 0", "a=sendonly"], SendOnly),
            (&["m=audio 4000 RTP/AVP 0", "a=sendonly", "m=audio 4002 RTP/AVP 0", "a=inactive"], SendOnly),
            (&["c=IN IP4 0.0.0.0", "m=audio 4000 RTP/AVP 0"], SendOnly),
            (&["c=IN IP4 0.0.0.0", "m=audio 4000 RTP/AVP 0", "c=IN IP4 192.0.2.9"], SendRecv),
            (&["m=audio 0 RTP/AVP 0"], Inactive),
            (&["a=inactive"], Inactive),
            (&[], SendRecv),
        ] {
            let read = sdp(&[&head, lines].concat());
            assert_eq!((read.origin.as_str(), read.direction), ("192.0.2.9", expected), "{lines:?}");
        }
    }

    #[test]
    fn nonsense_is_an_empty_description() {
        for text in ["", "=", "o=", "m", "m=", "c=\r\na", "\u{0}\u{fffd}=\n=\r"] {
            assert_eq!(read_sdp(text), Sdp::default(), "{text:?}");
        }
    }
}
