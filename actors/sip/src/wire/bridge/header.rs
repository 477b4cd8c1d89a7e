//! Headers.

use rsip::headers::{Header as RsipHeader, untyped};

use super::super::text::has_control;
use super::super::{Header, HeaderName, Str, WriteError};

/// Writes both directions from one list: the headers that rsip has a type for. The others are `Other` there.
macro_rules! bridge_headers {
    (typed: [$($name:ident),* $(,)?], other: [$($other:ident),* $(,)?]) => {
        /// A header as rsip's value: under its type if rsip has one, as `Other` with its long name if not. Compact
        /// forms are long since resolved.
        #[must_use]
        pub fn header_to_rsip(header: &Header) -> RsipHeader {
            let value = header.value.as_str();
            match &header.name {
                $(HeaderName::$name => RsipHeader::$name(untyped::$name::from(value)),)*
                $(HeaderName::$other)|* | HeaderName::Other(_) => {
                    RsipHeader::Other(header.name.as_str().to_owned(), value.to_owned())
                }
            }
        }

        fn parts_of(header: &RsipHeader) -> (HeaderName, &str) {
            match header {
                $(RsipHeader::$name(inner) => (HeaderName::$name, rsip::headers::UntypedHeader::value(inner)),)*
                RsipHeader::Other(name, value) => (HeaderName::from(name.as_str()), value),
            }
        }
    };
}

bridge_headers! {
    typed: [
        Accept, AcceptEncoding, AcceptLanguage, AlertInfo, Allow, AuthenticationInfo, Authorization,
        CSeq, CallId, CallInfo, Contact, ContentDisposition, ContentEncoding, ContentLanguage,
        ContentLength, ContentType, Date, ErrorInfo, Event, Expires, From, InReplyTo, MaxForwards,
        MimeVersion, MinExpires, Organization, Priority, ProxyAuthenticate, ProxyAuthorization,
        ProxyRequire, RecordRoute, ReplyTo, Require, RetryAfter, Route, Server, Subject,
        SubscriptionState, Supported, Timestamp, To, Unsupported, UserAgent, Via, Warning,
        WwwAuthenticate,
    ],
    other: [
        AllowEvents, AcceptContact, AnswerMode, Diversion, Geolocation, HistoryInfo, Identity,
        IdentityInfo, Join, MinSe, PAssertedIdentity, PPreferredIdentity, PEarlyMedia, Privacy, Path,
        Reason, RSeq, RAck, ReferTo, ReferredBy, Replaces, RequestDisposition, RejectContact,
        SessionExpires, ServiceRoute, TargetDialog, UserToUser, XAsteriskHangupCause, XAsteriskHangupCauseCode,
    ]
}

/// rsip's header as ours, `Other` under our word for it if there is one.
///
/// # Errors
/// The value holds a line end, which rsip lets through and which would make another header.
pub fn header_from_rsip(header: &RsipHeader) -> Result<Header, WriteError> {
    let (name, value) = parts_of(header);
    if has_control(value.as_bytes()) {
        return Err(WriteError::ControlByte(name));
    }
    Ok(Header { name, value: Str::from(value) })
}
