//! Where a session description (RFC 8866) wants its audio.

use std::net::{IpAddr, SocketAddr};

/// The addresses that audio is to be sent to, in the order of the description. Streams that are refused (port 0) and
/// connection data that is no address (a host name, 0.0.0.0 for hold) are left out. Reads on where nonsense is, so text
/// around the description, as in a multipart body, does no harm.
#[must_use]
pub fn audio_addresses(text: &str) -> Vec<SocketAddr> {
    let mut session = None;
    let mut audio: Vec<(Option<IpAddr>, u16)> = Vec::new();
    let mut place = Place::Session;
    for line in text.lines() {
        let Some((kind, value)) = line.split_once('=') else { continue };
        let mut words = value.split_ascii_whitespace();
        match (kind, place) {
            ("m", _) => {
                let port = (words.next() == Some("audio")).then(|| words.next().and_then(port_of)).flatten();
                place = if port.is_some() { Place::Audio } else { Place::Elsewhere };
                audio.extend(port.filter(|_| audio.len() < MAX_STREAMS).map(|port| (session, port)));
            }
            ("c", Place::Session) => session = words.nth(2).and_then(address_of),
            ("c", Place::Audio) => {
                if let Some((address, _)) = audio.last_mut() {
                    *address = words.nth(2).and_then(address_of);
                }
            }
            _ => {}
        }
    }
    let whole = |(address, port): (Option<IpAddr>, u16)| Some(SocketAddr::new(address?, port));
    audio.into_iter().filter_map(whole).collect()
}

/// The most audio streams of one description that are looked at.
const MAX_STREAMS: usize = 8;

/// Which part of the description a line belongs to.
#[derive(Clone, Copy)]
enum Place {
    Session,
    Audio,
    Elsewhere,
}

/// `4000`, or `4000/2` for several ports from there on.
fn port_of(word: &str) -> Option<u16> {
    word.split('/').next()?.parse().ok().filter(|port| *port != 0)
}

/// `192.0.2.1`, or with the lifetime of a multicast address behind it.
fn address_of(word: &str) -> Option<IpAddr> {
    word.split('/').next()?.parse().ok().filter(|address: &IpAddr| !address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_goes_where_its_stream_or_the_session_says() {
        for (lines, expected) in [
            (&["c=IN IP4 192.0.2.1", "m=audio 4000 RTP/AVP 0"][..], &["192.0.2.1:4000"][..]),
            (
                &["c=IN IP4 192.0.2.1", "m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::1"],
                &["[2001:db8::1]:4000"],
            ),
            (&["m=audio 4000/2 RTP/AVP 0", "c=IN IP4 192.0.2.1/127"], &["192.0.2.1:4000"]),
            (
                &[
                    "c=IN IP4 192.0.2.1",
                    "m=video 5000 RTP/AVP 96",
                    "c=IN IP4 192.0.2.9",
                    "m=audio 4000 RTP/AVP 0",
                    "m=audio 4002 RTP/AVP 8",
                ],
                &["192.0.2.1:4000", "192.0.2.1:4002"],
            ),
            (&["c=IN IP4 192.0.2.1", "m=audio 0 RTP/AVP 0"], &[]),
            (&["c=IN IP4 0.0.0.0", "m=audio 4000 RTP/AVP 0"], &[]),
            (&["c=IN IP4 host.example", "m=audio 4000 RTP/AVP 0"], &[]),
            (&["m=audio 4000 RTP/AVP 0"], &[]),
            (
                &[
                    "--boundary",
                    "Content-Type: application/sdp",
                    "",
                    "c=IN IP4 192.0.2.1",
                    "m=audio 4000 RTP/AVP 0",
                ],
                &["192.0.2.1:4000"],
            ),
            (&["c", "m", "=", "m=audio", "m=audio x", "c=IN"], &[]),
        ] {
            let expected: Vec<SocketAddr> = expected.iter().map(|text| text.parse().unwrap()).collect();
            assert_eq!(audio_addresses(&lines.join("\r\n")), expected, "{lines:?}");
        }
    }
}
