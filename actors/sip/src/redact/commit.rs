//! Encoded commits, walked by name, so that a field that is added later is looked at too.
//!
//! The bytes are rewritten as they are walked over; nothing is decoded. Each text is looked at by the name of its field,
//! messages as SIP, and the octets of socket addresses where they stand.

use std::net::IpAddr;

use callbox_events::schema::packed::{self, Token, Tokens};

use super::out::Out;
use super::text::Mode;
use super::{Masks, Scope, Sides, Whose};

/// Commits are not nested deeper.
const MAX_DEPTH: usize = 64;

/// The version in front of an encoded commit.
const VERSION_BYTES: usize = 2;

/// Octets of IPv6.
const MAX_OCTETS: usize = 16;

impl<M: Masks> Scope<M> {
    /// Writes an encoded commit without what is personal: a commit again, of the same version.
    ///
    /// # Errors
    /// In words, if the bytes are no encoded commit.
    pub fn commit(&mut self, encoded: &[u8], sides: Sides, out: &mut Out) -> Result<(), String> {
        let version = encoded.get(..VERSION_BYTES).ok_or("it is shorter than its version")?;
        out.bytes.extend_from_slice(version);
        let mut text = std::mem::take(&mut self.value);
        let speaker = sides.speaker;
        let mut walk =
            Walk { encoded, tokens: Tokens::new(encoded, VERSION_BYTES), sides, speaker, text: &mut text };
        let walked = walk.value(self, Place::default(), 0, out);
        let end = walk.tokens.at();
        self.value = text;
        walked.filter(|()| end == encoded.len()).ok_or_else(|| format!("byte {end} of it can't be read"))
    }
}

struct Walk<'a, 'b> {
    encoded: &'b [u8],
    tokens: Tokens<'b>,
    sides: Sides,
    /// Whose words the values are.
    speaker: Whose,
    text: &'a mut Out,
}

/// Where a value stands: under this name, in a map that stands under that one.
#[derive(Debug, Clone, Copy, Default)]
struct Place<'b> {
    name: &'b str,
    parent: &'b str,
}

impl<'b> Walk<'_, 'b> {
    /// `None` where the bytes can't be read.
    fn value<M: Masks>(
        &mut self,
        scope: &mut Scope<M>,
        place: Place<'b>,
        depth: usize,
        out: &mut Out,
    ) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        let (token, whole) = self.tokens.next()?;
        match token {
            Token::Text(range) => {
                let text = std::str::from_utf8(self.encoded.get(range)?).ok()?;
                self.text(scope, place, text, out);
            }
            Token::Bytes(range) if place.name == "bytes" => {
                self.text.clear();
                let message = self.encoded.get(range)?;
                if scope.messages_whole {
                    self.text.replace(message, b"", scope.masks.everybody());
                } else {
                    scope.message(message, self.text);
                }
                packed::bytes_header(&mut out.bytes, self.text.bytes.len());
                out.append(self.text);
            }
            Token::Bytes(_) | Token::Other => out.bytes.extend_from_slice(self.encoded.get(whole)?),
            Token::Array(elements) => {
                if scope.all && matches!(place.name, "V4" | "V6") && place.parent == "addr" {
                    out.bytes.extend_from_slice(self.encoded.get(whole)?);
                    self.octets(scope, out)?;
                    return (1..elements)
                        .try_for_each(|_| self.value(scope, Place::default(), depth + 1, out));
                }
                out.bytes.extend_from_slice(self.encoded.get(whole)?);
                (0..elements).try_for_each(|_| self.value(scope, place, depth + 1, out))?;
            }
            Token::Map(pairs) => {
                out.bytes.extend_from_slice(self.encoded.get(whole)?);
                for _ in 0..pairs {
                    let (key, whole) = self.tokens.next()?;
                    out.bytes.extend_from_slice(self.encoded.get(whole)?);
                    let Token::Text(key) = key else { return None };
                    let name = std::str::from_utf8(self.encoded.get(key)?).ok()?;
                    self.value(scope, Place { name, parent: place.name }, depth + 1, out)?;
                }
            }
        }
        Some(())
    }

    /// The octets of an address, an array of small numbers.
    fn octets<M: Masks>(&mut self, scope: &mut Scope<M>, out: &mut Out) -> Option<()> {
        let from = self.tokens.at();
        let (Token::Array(count), _) = self.tokens.next()? else { return None };
        let mut octets = [0; MAX_OCTETS];
        for octet in octets.get_mut(..count)? {
            let (Token::Other, whole) = self.tokens.next()? else { return None };
            // Either the number itself or, from 128 on, a marker and the number.
            *octet = *self.encoded.get(whole)?.last()?;
        }
        let address: IpAddr = match count {
            4 => IpAddr::from(*octets.first_chunk::<4>()?),
            _ => IpAddr::from(octets),
        };
        let original = self.encoded.get(from..self.tokens.at())?;
        let whose = self.sides.peer;
        let mut written = Vec::with_capacity(2 * MAX_OCTETS);
        match scope.masks.address(whose, address) {
            IpAddr::V4(v4) => write_octets(&mut written, &v4.octets()),
            IpAddr::V6(v6) => write_octets(&mut written, &v6.octets()),
        }
        if original == written {
            out.bytes.extend_from_slice(original);
        } else {
            out.replace(original, &written, whose);
        }
        Some(())
    }

    fn text<M: Masks>(&mut self, scope: &mut Scope<M>, place: Place<'b>, text: &str, out: &mut Out) {
        self.text.clear();
        self.rewritten(scope, place, text);
        packed::text_header(&mut out.bytes, self.text.bytes.len());
        out.append(self.text);
    }

    fn rewritten<M: Masks>(&mut self, scope: &mut Scope<M>, place: Place<'b>, text: &str) {
        let Sides { local, remote, caller, .. } = self.sides;
        (scope.place, scope.persons) = (self.speaker, false);
        let out = &mut *self.text;
        match place.name {
            // The side that an observer saw speak.
            "by" if place.parent == "observed" => {
                self.speaker = self.sides.named(text);
                out.keep(text);
            }
            "type" | "call" => out.keep(text),
            "node" if M::NODES => scope.host(text, scope.everybody, out),
            "node" => out.keep(text),
            "contact_host" => scope.host(text, self.speaker, out),
            "origin" if place.parent == "sdp" => scope.host(text, self.speaker, out),
            "from" | "to" | "local_uri" | "remote_uri" | "contacts" => {
                scope.persons = true;
                scope.text(text, Mode::Token, out);
            }
            "local_contact" | "local_tag" => {
                scope.place = local;
                scope.text(text, Mode::Token, out);
            }
            "remote_target" | "remote_tag" | "to_tag" | "new_target" | "contact" => {
                scope.place = remote;
                scope.text(text, Mode::Token, out);
            }
            "sip_call_id" | "invite_branch" => {
                scope.place = caller;
                scope.text(text, Mode::Token, out);
            }
            "route_set" => {
                scope.place = scope.everybody;
                scope.text(text, Mode::Token, out);
            }
            "raw" | "location" => scope.text(text, Mode::Token, out),
            "detail" | "text" | "phrase" | "warnings" | "software" | "early_media" | "hangup_cause"
            | "reason" => scope.text(text, Mode::Prose, out),
            _ => scope.text(text, Mode::Code, out),
        }
    }
}

fn write_octets(out: &mut Vec<u8>, octets: &[u8]) {
    match octets.len() {
        count @ 0..16 => out.push(0x90 | u8::try_from(count).unwrap_or(0)),
        _ => out.extend_from_slice(&[0xdc, 0, 16]),
    }
    for octet in octets {
        if *octet >= 0x80 {
            out.push(0xcc);
        }
        out.push(*octet);
    }
}
