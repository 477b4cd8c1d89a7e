//! Values for tests: one caller, one callee, one network.

use callbox_events::call::{Invite, Place, Policy};
use callbox_events::sip::{Dialog, Peer, Request, Response, Transport};

pub fn peer() -> Peer {
    Peer { transport: Transport::Udp, addr: ([192, 0, 2, 7], 5060).into() }
}

pub fn dialog() -> Dialog {
    Dialog {
        sip_call_id: "story@example.com".into(),
        local_uri: "<sip:alice@example.com>".into(),
        local_tag: "a-tag".into(),
        remote_uri: "<sip:bob@example.net>".into(),
        remote_tag: None,
        remote_target: "sip:bob@192.0.2.7".into(),
        route_set: Vec::new(),
        local_cseq: 1,
        remote_cseq: 0,
        local_contact: "sip:192.0.2.1:5060".into(),
        peer: peer(),
        invite_branch: Some("z9hG4bKstory".into()),
        invite_cseq: 1,
    }
}

pub fn place(policy: Policy) -> Place {
    Place {
        from: "sip:alice@example.com".into(),
        to: "sip:bob@example.net".into(),
        dialog: dialog().into(),
        reachable: true,
        policy,
    }
}

pub fn invite(policy: Policy) -> Invite {
    Invite {
        from: "sip:bob@example.net".into(),
        to: "sip:alice@example.com".into(),
        dialog: Dialog { remote_tag: Some("b-tag".into()), ..dialog() }.into(),
        request: request("INVITE"),
        expires: None,
        policy,
    }
}

pub fn request(method: &str) -> Request {
    Request { method: method.into(), cseq: 1, ..Request::default() }
}

pub fn response(status: u16) -> Response {
    Response { status, phrase: "as sent".into(), to_tag: Some("b-tag".into()), ..Response::default() }
}
