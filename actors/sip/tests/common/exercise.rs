//! Calls everything there is on a message, to see that nothing panics whatever it holds.

use callbox_sip::wire::grammar::{
    CSeq, ContentType, Diversion, HistoryInfo, NameAddr, Params, RAck, ReferTo, Replaces, RetryAfter,
    SessionExpires, SipUri, Timestamp, Tokens, Uri, Via, Warning, delta_seconds, parse_reason, quote,
    unescape, unquote, write_reason,
};
use callbox_sip::wire::{HeaderName, Message, Method};

/// All getters of a message, and all views of all its values.
pub fn exercise(message: &Message) {
    black_box((message.is_request(), message.method(), message.uri(), message.status(), message.phrase()));
    black_box((message.call_id(), message.cseq(), message.from_tag(), message.to_tag(), message.branch()));
    black_box((message.from(), message.to(), message.top_via(), message.contact(), message.reasons()));
    black_box((message.vias().count(), message.contacts().count(), message.route().count()));
    black_box((
        message.record_routes().count(),
        message.max_forwards(),
        message.expires(),
        message.min_expires(),
    ));
    black_box((message.retry_after(), message.require().count(), message.supported().count()));
    black_box((message.proxy_require().count(), message.unsupported().count(), message.allow().count()));
    black_box((message.content_type(), message.has_sdp(), message.rseq(), message.rack()));
    black_box((message.session_expires(), message.min_se(), message.replaces(), message.refer_to()));
    black_box((message.history_info().count(), message.diversions().count(), message.warnings().count()));
    black_box(message.timestamp());
    views(message.uri().unwrap_or_default());
    for header in &message.headers {
        views(&header.value);
    }
}

/// Every view of one text.
pub fn views(text: &str) {
    if let Ok(address) = NameAddr::parse(text) {
        black_box((address.display(), address.tag(), address.without_tag(), address.preference()));
        black_box(NameAddr::parse(&address.without_tag()).expect("what we write of an address, we read"));
        uri(address.uri);
    }
    if let Ok(via) = Via::parse(text) {
        black_box((via.branch(), via.has_transaction_id(), via.received(), via.wants_rport(), via.rport()));
    }
    if let Ok(params) = Params::parse(text) {
        black_box(params.iter().count());
    }
    if let Some(reason) = parse_reason(text) {
        assert_eq!(write_reason(&reason), reason.raw);
        let ours = callbox_events::sip::Reason { raw: String::new(), ..reason.clone() };
        black_box(parse_reason(&write_reason(&ours)));
    }
    black_box((CSeq::parse(text), RAck::parse(text), Replaces::parse(text), ReferTo::parse(text)));
    black_box((
        SessionExpires::parse(text),
        RetryAfter::parse(text),
        Timestamp::parse(text),
        Warning::parse(text),
    ));
    black_box((HistoryInfo::parse(text), Diversion::parse(text), ContentType::parse(text)));
    black_box((Tokens::of(text).count(), delta_seconds(text), unescape(text), HeaderName::from(text)));
    black_box(Method::from(text));
    assert_eq!(unquote(&quote(text)), text.replace(|c: char| c.is_ascii_control(), " "));
    uri(text);
}

fn uri(text: &str) {
    if let Ok(uri) = Uri::parse(text) {
        black_box(uri.scheme());
    }
    if let Ok(uri) = SipUri::parse(text) {
        assert!(uri.is_equivalent(&uri), "a URI is equivalent to itself");
    }
}

fn black_box<T>(value: T) {
    let _ = std::hint::black_box(value);
}
