//! Third parties that do what a test says: a proxy, a business server, a phone with strange habits.

use std::collections::VecDeque;

use bytes::Bytes;
use callbox_events::sip::Peer;
use callbox_sip::wire::{self, HeaderName, Limits, Message};

use super::network::label;
use super::world::{Sim, Stuck};

/// A scripted party: an address and what arrived there.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) name: String,
    pub(super) local: Peer,
    inbox: VecDeque<(Peer, Bytes)>,
    drawn: u32,
}

impl Script {
    pub(super) fn take(&mut self, from: Peer, bytes: Bytes) {
        self.inbox.push_back((from, bytes));
    }

    fn draw(&mut self, prefix: &str) -> String {
        self.drawn += 1;
        format!("{prefix}{}{}", self.name.to_ascii_lowercase(), self.drawn)
    }
}

/// What a scripted message carries beyond the usual.
#[derive(Debug, Clone, Default)]
pub struct Extra {
    headers: String,
    body: Option<String>,
    tag: Option<String>,
    phrase: Option<String>,
}

impl Extra {
    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// A Reason header: `Q.850;cause=16`.
    #[must_use]
    pub fn reason(self, value: &str) -> Self {
        self.header("Reason", value)
    }

    /// A session description by this origin: `media-server`, `phone`.
    #[must_use]
    pub fn sdp(mut self, origin: &str) -> Self {
        self.body = Some(format!(
            "v=0\r\no=- 1 1 IN IP4 {origin}\r\ns=-\r\nc=IN IP4 {origin}\r\nt=0 0\r\nm=audio 4002 RTP/AVP 0\r\n"
        ));
        self
    }

    /// The To tag of a response, instead of `s1`; another one makes it another fork's.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.tag = Some(tag.to_owned());
        self
    }

    /// The reason phrase of a response.
    #[must_use]
    pub fn phrase(mut self, phrase: &str) -> Self {
        self.phrase = Some(phrase.to_owned());
        self
    }

    fn tail(&self) -> String {
        match &self.body {
            Some(body) => format!(
                "{}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
                self.headers,
                body.len()
            ),
            None => format!("{}Content-Length: 0\r\n\r\n", self.headers),
        }
    }
}

/// A dialog of a scripted party.
#[derive(Debug, Clone)]
pub struct ScriptDialog {
    /// Call-ID.
    pub call_id: String,
    /// Our From value with tag.
    pub local: String,
    /// Their To value, with tag once it is known.
    pub remote: String,
    /// Their Contact URI.
    pub target: String,
    /// CSeq of our last request.
    pub cseq: u32,
    /// Via branch of our INVITE, for its ACK and CANCEL.
    pub invite_branch: String,
    /// CSeq of our INVITE.
    pub invite_cseq: u32,
    peer: Peer,
}

impl ScriptDialog {
    /// Learns the other's tag and Contact from a response.
    pub fn learn(&mut self, response: &Message) {
        if let Some(to) = response.header(&HeaderName::To) {
            to.clone_into(&mut self.remote);
        }
        if let Some(contact) = response.contact() {
            contact.uri.clone_into(&mut self.target);
        }
    }
}

impl Sim {
    /// Adds a scripted party. Its address is `10.0.0.n:5060`.
    pub fn script(&mut self, name: &str) {
        let local = self.next_address();
        self.scripts.push(Script { name: name.to_owned(), local, inbox: VecDeque::new(), drawn: 0 });
    }

    /// Lets time pass until a message with this label (`INVITE`, `200 BYE`) has arrived at a scripted party, and takes it
    /// out of the inbox. Others stay.
    ///
    /// # Errors
    /// [`Stuck`] if none comes.
    pub fn expect(&mut self, name: &str, wanted: &str) -> Result<Message, Stuck> {
        self.run_until(&format!("{wanted} at {name}"), |sim| sim.position(name, wanted).is_some())?;
        let place = self.position(name, wanted);
        let script = self.scripts.iter_mut().find(|script| script.name == name);
        let bytes = script.zip(place).and_then(|(script, place)| script.inbox.remove(place));
        let parsed = bytes.and_then(|(_, bytes)| wire::parse(bytes, &Limits::default()).ok());
        parsed
            .ok_or_else(|| Stuck { waited_for: format!("a legal {wanted} at {name}"), seen: self.picture() })
    }

    /// The labels of what waits in the inbox of a scripted party.
    #[must_use]
    pub fn inbox(&self, name: &str) -> Vec<String> {
        let script = self.scripts.iter().find(|script| script.name == name);
        script.map(|script| script.inbox.iter().map(|(_, bytes)| label(bytes)).collect()).unwrap_or_default()
    }

    fn position(&self, name: &str, wanted: &str) -> Option<usize> {
        let script = self.scripts.iter().find(|script| script.name == name)?;
        script.inbox.iter().position(|(_, bytes)| label(bytes) == wanted)
    }

    /// A scripted party answers a request.
    pub fn reply(&mut self, name: &str, request: &Message, status: u16, extra: &Extra) {
        let Some(script) = self.scripts.iter().find(|script| script.name == name) else { return };
        let local = script.local;
        let phrase = extra.phrase.as_deref().unwrap_or_else(|| wire::phrase_of(status));
        let mut text = format!("SIP/2.0 {status} {phrase}\r\n");
        for via in request.all(&HeaderName::Via) {
            text.push_str(&format!("Via: {via}\r\n"));
        }
        let header = |name: &HeaderName| request.header(name).unwrap_or_default();
        let to = header(&HeaderName::To);
        let tag = match request.to_tag() {
            None if status > 100 => format!(";tag={}", extra.tag.as_deref().unwrap_or("s1")),
            Some(_) | None => String::new(),
        };
        let (number, method) = request.cseq();
        text.push_str(&format!(
            "From: {}\r\nTo: {to}{tag}\r\nCall-ID: {}\r\nCSeq: {number} {method}\r\nContact: <sip:{name}@{}>\r\n{}",
            header(&HeaderName::From),
            request.call_id(),
            local.addr,
            extra.tail()
        ));
        let peer = via_peer(request).unwrap_or(local);
        self.send(local, peer, Bytes::from(text), None);
    }

    /// A scripted party calls another: an INVITE leaves.
    ///
    /// # Errors
    /// [`Stuck`] if one of the two is not there.
    pub fn invite(&mut self, name: &str, to: &str, extra: &Extra) -> Result<ScriptDialog, Stuck> {
        let (uri, from) = (self.uri(to), self.uri(name));
        let missing = || Stuck { waited_for: format!("{name} or {to}"), seen: "they are not there".into() };
        let peer = self.address(to).ok_or_else(missing)?;
        let script = self.scripts.iter_mut().find(|script| script.name == name).ok_or_else(missing)?;
        let mut dialog = ScriptDialog {
            call_id: script.draw("call-"),
            local: format!("<{from}>;tag={}", script.draw("tag-")),
            remote: format!("<{uri}>"),
            target: uri,
            cseq: 0,
            invite_branch: String::new(),
            invite_cseq: 1,
            peer,
        };
        self.request(name, &mut dialog, "INVITE", extra);
        Ok(dialog)
    }

    /// The dialog that a scripted party has with the sender of `invite`, which it answered with `tag`.
    #[must_use]
    pub fn dialog_with(&self, invite: &Message, tag: &str) -> ScriptDialog {
        let header = |name: &HeaderName| invite.header(name).unwrap_or_default().to_owned();
        let contact = invite.contact().map(|contact| contact.uri.to_owned()).unwrap_or_default();
        let fallback = self.scripts.first().map(|script| script.local);
        let peer = via_peer(invite).or(fallback).unwrap_or_else(|| self.next_address());
        ScriptDialog {
            call_id: invite.call_id().to_owned(),
            local: format!("{};tag={tag}", header(&HeaderName::To)),
            remote: header(&HeaderName::From),
            target: contact,
            cseq: 0,
            invite_branch: String::new(),
            invite_cseq: invite.cseq().0,
            peer,
        }
    }

    /// A scripted party sends a request in a dialog: BYE, re-INVITE, INFO, or the ACK or CANCEL of its INVITE.
    pub fn request(&mut self, name: &str, dialog: &mut ScriptDialog, method: &str, extra: &Extra) {
        let Some(script) = self.scripts.iter_mut().find(|script| script.name == name) else { return };
        let local = script.local;
        let (branch, cseq) = match method {
            "CANCEL" => (dialog.invite_branch.clone(), dialog.invite_cseq),
            "ACK" => (script.draw("z9hG4bK-"), dialog.invite_cseq),
            _ => {
                dialog.cseq += 1;
                (script.draw("z9hG4bK-"), dialog.cseq)
            }
        };
        if method == "INVITE" {
            dialog.invite_branch.clone_from(&branch);
            dialog.invite_cseq = cseq;
        }
        let text = format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch={branch}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: \
             {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\nContact: <sip:{name}@{}>\r\n{}",
            dialog.target,
            local.addr,
            dialog.local,
            dialog.remote,
            dialog.call_id,
            local.addr,
            extra.tail()
        );
        self.send(local, dialog.peer, Bytes::from(text), None);
    }

    /// The ACK of a failure: it belongs to the INVITE's transaction and has its branch (RFC 3261 §17.1.1.3).
    pub fn ack_failure(&mut self, name: &str, dialog: &ScriptDialog, failure: &Message) {
        let Some(script) = self.scripts.iter().find(|script| script.name == name) else { return };
        let local = script.local;
        let text = format!(
            "ACK {} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch={}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: \
             {}\r\nCSeq: {} ACK\r\nContent-Length: 0\r\n\r\n",
            dialog.target,
            local.addr,
            dialog.invite_branch,
            dialog.local,
            failure.header(&HeaderName::To).unwrap_or_default(),
            dialog.call_id,
            dialog.invite_cseq
        );
        self.send(local, dialog.peer, Bytes::from(text), None);
    }

    /// A scripted party sends any bytes to another party.
    pub fn send_raw(&mut self, name: &str, to: &str, bytes: impl Into<Bytes>) {
        let local = self.address(name);
        if let Some((local, peer)) = local.zip(self.address(to)) {
            self.send(local, peer, bytes.into(), None);
        }
    }

    /// The address of a party.
    #[must_use]
    pub fn address(&self, name: &str) -> Option<Peer> {
        let engines = self.engines.iter().map(|engine| (&engine.name, engine.local));
        let scripts = self.scripts.iter().map(|script| (&script.name, script.local));
        engines.chain(scripts).find(|(known, _)| *known == name).map(|(_, local)| local)
    }
}

/// Where responses to a request go: the sent-by of its topmost Via.
fn via_peer(request: &Message) -> Option<Peer> {
    let via = request.top_via();
    let ip = via.host.parse().ok()?;
    let addr = std::net::SocketAddr::new(ip, via.port.unwrap_or(5060));
    Some(Peer { transport: callbox_events::sip::Transport::Udp, addr })
}
