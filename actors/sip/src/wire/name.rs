//! Header names: known ones as values, compact forms resolved, others kept as written.

use std::fmt;

use super::Str;

macro_rules! header_names {
    ($($letter:literal | $upper:literal => { $($name:ident $text:literal,)* })*) => {
        /// The name of a header field. Compared without regard to case (RFC 3261 §7.3.1); compact forms are
        /// resolved to the long name (§7.3.3).
        #[derive(Debug, Clone)]
        pub enum HeaderName {
            $($(
                #[doc = concat!("`", $text, "`")]
                $name,
            )*)*
            /// A name that has no word here, as written.
            Other(Str),
        }

        impl HeaderName {
            /// The long form as it stands on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $($(Self::$name => $text,)*)*
                    Self::Other(name) => name,
                }
            }

            /// The name in full if it is one that we know; `name` is not a compact form.
            fn known_long(name: &str) -> Option<Self> {
                match name.as_bytes().first()? {
                    // One letter holds few names: cheaper than hashing, and it stays readable.
                    $($letter | $upper => {
                        // Nearly all senders write the names as the RFCs do.
                        $(if name == $text { return Some(Self::$name); })*
                        $(if name.eq_ignore_ascii_case($text) { return Some(Self::$name); })*
                        None
                    })*
                    _ => None,
                }
            }
        }
    };
}

header_names! {
    b'a' | b'A' => {
        Allow "Allow", Accept "Accept", AcceptEncoding "Accept-Encoding", AcceptLanguage "Accept-Language",
        AlertInfo "Alert-Info", AllowEvents "Allow-Events", Authorization "Authorization",
        AuthenticationInfo "Authentication-Info", AcceptContact "Accept-Contact", AnswerMode "Answer-Mode",
    }
    b'c' | b'C' => {
        CSeq "CSeq", Contact "Contact", CallId "Call-ID", ContentType "Content-Type",
        ContentLength "Content-Length", ContentDisposition "Content-Disposition",
        ContentEncoding "Content-Encoding", ContentLanguage "Content-Language", CallInfo "Call-Info",
    }
    b'd' | b'D' => { Date "Date", Diversion "Diversion", }
    b'e' | b'E' => { Expires "Expires", Event "Event", ErrorInfo "Error-Info", }
    b'f' | b'F' => { From "From", }
    b'g' | b'G' => { Geolocation "Geolocation", }
    b'h' | b'H' => { HistoryInfo "History-Info", }
    b'i' | b'I' => { Identity "Identity", IdentityInfo "Identity-Info", InReplyTo "In-Reply-To", }
    b'j' | b'J' => { Join "Join", }
    b'm' | b'M' => { MaxForwards "Max-Forwards", MinSe "Min-SE", MinExpires "Min-Expires", MimeVersion "MIME-Version", }
    b'o' | b'O' => { Organization "Organization", }
    b'p' | b'P' => {
        PAssertedIdentity "P-Asserted-Identity", PPreferredIdentity "P-Preferred-Identity",
        PEarlyMedia "P-Early-Media", Privacy "Privacy", Path "Path", Priority "Priority",
        ProxyAuthenticate "Proxy-Authenticate", ProxyAuthorization "Proxy-Authorization",
        ProxyRequire "Proxy-Require",
    }
    b'r' | b'R' => {
        Route "Route", RecordRoute "Record-Route", Reason "Reason", Require "Require", RSeq "RSeq", RAck "RAck",
        RetryAfter "Retry-After", ReferTo "Refer-To", ReferredBy "Referred-By", Replaces "Replaces",
        ReplyTo "Reply-To", RequestDisposition "Request-Disposition", RejectContact "Reject-Contact",
    }
    b's' | b'S' => {
        Supported "Supported", SessionExpires "Session-Expires", Server "Server", Subject "Subject",
        SubscriptionState "Subscription-State", ServiceRoute "Service-Route",
    }
    b't' | b'T' => { To "To", Timestamp "Timestamp", TargetDialog "Target-Dialog", }
    b'u' | b'U' => { UserAgent "User-Agent", Unsupported "Unsupported", UserToUser "User-to-User", }
    b'v' | b'V' => { Via "Via", }
    b'w' | b'W' => { Warning "Warning", WwwAuthenticate "WWW-Authenticate", }
    b'x' | b'X' => {
        XAsteriskHangupCause "X-Asterisk-HangupCause",
        XAsteriskHangupCauseCode "X-Asterisk-HangupCauseCode",
    }
}

impl HeaderName {
    /// The name if we know it, in long or compact form, in any case.
    #[must_use]
    pub fn known(name: &str) -> Option<Self> {
        match name.as_bytes() {
            [letter] => Self::known_compact(letter.to_ascii_lowercase()),
            _ => Self::known_long(name),
        }
    }

    /// The compact forms of the IANA registry.
    fn known_compact(letter: u8) -> Option<Self> {
        Some(match letter {
            b'a' => Self::AcceptContact,
            b'b' => Self::ReferredBy,
            b'c' => Self::ContentType,
            b'd' => Self::RequestDisposition,
            b'e' => Self::ContentEncoding,
            b'f' => Self::From,
            b'i' => Self::CallId,
            b'j' => Self::RejectContact,
            b'k' => Self::Supported,
            b'l' => Self::ContentLength,
            b'm' => Self::Contact,
            b'n' => Self::IdentityInfo,
            b'o' => Self::Event,
            b'r' => Self::ReferTo,
            b's' => Self::Subject,
            b't' => Self::To,
            b'u' => Self::AllowEvents,
            b'v' => Self::Via,
            b'x' => Self::SessionExpires,
            b'y' => Self::Identity,
            _ => return None,
        })
    }

    /// Whether one field may hold several addresses or phrases between commas, which the scanner splits into one
    /// header each. Lists of tokens (`Supported`, `Allow`) stay whole; [`super::Message`] has getters for them.
    pub(crate) fn is_split(&self) -> bool {
        matches!(
            self,
            Self::Via
                | Self::Route
                | Self::RecordRoute
                | Self::Contact
                | Self::Reason
                | Self::Warning
                | Self::HistoryInfo
                | Self::Diversion
                | Self::Path
                | Self::ServiceRoute
                | Self::PAssertedIdentity
                | Self::PPreferredIdentity
                | Self::CallInfo
                | Self::AlertInfo
                | Self::ErrorInfo
        )
    }
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Other(left), Self::Other(right)) => left.eq_ignore_ascii_case(right),
            (left, right) => std::mem::discriminant(left) == std::mem::discriminant(right),
        }
    }
}

impl Eq for HeaderName {}

impl From<&str> for HeaderName {
    fn from(name: &str) -> Self {
        Self::known(name).unwrap_or_else(|| Self::Other(name.into()))
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
