//! Typed getters of a message.

use callbox_events::sip::Reason;

use super::grammar::{
    ContentType, Diversion, HistoryInfo, NameAddr, RAck, ReferTo, Replaces, RetryAfter, SessionExpires,
    Timestamp, Tokens, Via, Warning, delta_seconds, parse_reason,
};
use super::{HeaderName, Message, SyntaxError};

impl Message {
    /// From, checked when the message was parsed.
    #[must_use]
    pub fn from(&self) -> NameAddr<'_> {
        self.keys.sender.within(self.key(self.keys.from, &HeaderName::From))
    }

    /// To, likewise.
    #[must_use]
    pub fn to(&self) -> NameAddr<'_> {
        self.keys.receiver.within(self.key(self.keys.to, &HeaderName::To))
    }

    /// The tag of From.
    #[must_use]
    pub fn from_tag(&self) -> Option<&str> {
        self.span(self.keys.from, &HeaderName::From, self.keys.from_tag)
    }

    /// The tag of To.
    #[must_use]
    pub fn to_tag(&self) -> Option<&str> {
        self.span(self.keys.to, &HeaderName::To, self.keys.to_tag).filter(|tag| !tag.is_empty())
    }

    /// The topmost Via, checked likewise.
    #[must_use]
    pub fn top_via(&self) -> Via<'_> {
        self.keys.top.within(self.key(self.keys.via, &HeaderName::Via))
    }

    /// The branch of the topmost Via.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.span(self.keys.via, &HeaderName::Via, self.keys.branch)
    }

    /// All Vias from the top; those below the first may be malformed.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via<'_>, SyntaxError>> {
        self.all(&HeaderName::Via).map(Via::parse)
    }

    /// The first Contact, if it can be read.
    #[must_use]
    pub fn contact(&self) -> Option<NameAddr<'_>> {
        match self.keys.contact {
            Some((place, spans)) => Some(spans.within(self.key(place, &HeaderName::Contact))),
            None => self.contacts().next(),
        }
    }

    /// All Contacts that can be read.
    pub fn contacts(&self) -> impl Iterator<Item = NameAddr<'_>> {
        self.addresses(&HeaderName::Contact)
    }

    /// The Routes that can be read.
    pub fn route(&self) -> impl Iterator<Item = NameAddr<'_>> {
        self.addresses(&HeaderName::Route)
    }

    /// The Record-Route values as written, from the top: a route set is made of them verbatim.
    pub fn record_routes(&self) -> impl Iterator<Item = &str> {
        self.all(&HeaderName::RecordRoute)
    }

    /// All values of a header of addresses (P-Asserted-Identity, Path, Referred-By, ...) that can be read.
    pub fn addresses<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = NameAddr<'a>> {
        self.all(name).filter_map(|value| NameAddr::parse(value).ok())
    }

    /// All Reasons (RFC 3326), with their text as written.
    #[must_use]
    pub fn reasons(&self) -> Vec<Reason> {
        self.all(&HeaderName::Reason).filter_map(parse_reason).collect()
    }

    /// Max-Forwards; none too if it is above 255 or no number (RFC 4475 §3.1.2.4).
    #[must_use]
    pub fn max_forwards(&self) -> Option<u8> {
        self.seconds(&HeaderName::MaxForwards)?.try_into().ok()
    }

    /// Expires in seconds.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        self.seconds(&HeaderName::Expires)
    }

    /// Min-Expires in seconds.
    #[must_use]
    pub fn min_expires(&self) -> Option<u32> {
        self.seconds(&HeaderName::MinExpires)
    }

    /// Retry-After.
    #[must_use]
    pub fn retry_after(&self) -> Option<RetryAfter> {
        RetryAfter::parse(self.header(&HeaderName::RetryAfter)?).ok()
    }

    /// The option tags of Require.
    pub fn require(&self) -> impl Iterator<Item = &str> {
        self.tokens(&HeaderName::Require)
    }

    /// The option tags of Proxy-Require.
    pub fn proxy_require(&self) -> impl Iterator<Item = &str> {
        self.tokens(&HeaderName::ProxyRequire)
    }

    /// The option tags of Supported.
    pub fn supported(&self) -> impl Iterator<Item = &str> {
        self.tokens(&HeaderName::Supported)
    }

    /// The option tags of Unsupported.
    pub fn unsupported(&self) -> impl Iterator<Item = &str> {
        self.tokens(&HeaderName::Unsupported)
    }

    /// The methods of Allow.
    pub fn allow(&self) -> impl Iterator<Item = &str> {
        self.tokens(&HeaderName::Allow)
    }

    /// All elements of a list of tokens, over all its header lines.
    pub fn tokens<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
        self.all(name).flat_map(Tokens::of)
    }

    /// Content-Type, if it can be read.
    #[must_use]
    pub fn content_type(&self) -> Option<ContentType<'_>> {
        ContentType::parse(self.header(&HeaderName::ContentType)?).ok()
    }

    /// Whether the body is a session description (RFC 8866): of that type, and not empty.
    #[must_use]
    pub fn has_sdp(&self) -> bool {
        !self.body.is_empty() && self.content_type().is_some_and(|media| media.is("application", "sdp"))
    }

    /// RSeq (RFC 3262).
    #[must_use]
    pub fn rseq(&self) -> Option<u32> {
        self.seconds(&HeaderName::RSeq)
    }

    /// RAck (RFC 3262).
    #[must_use]
    pub fn rack(&self) -> Option<RAck<'_>> {
        RAck::parse(self.header(&HeaderName::RAck)?).ok()
    }

    /// Session-Expires (RFC 4028).
    #[must_use]
    pub fn session_expires(&self) -> Option<SessionExpires> {
        SessionExpires::parse(self.header(&HeaderName::SessionExpires)?).ok()
    }

    /// Min-SE (RFC 4028), in seconds.
    #[must_use]
    pub fn min_se(&self) -> Option<u32> {
        SessionExpires::parse(self.header(&HeaderName::MinSe)?).ok().map(|value| value.interval)
    }

    /// Replaces (RFC 3891): none if absent, an error if it must be answered with 400.
    #[must_use]
    pub fn replaces(&self) -> Option<Result<Replaces<'_>, SyntaxError>> {
        self.header(&HeaderName::Replaces).map(Replaces::parse)
    }

    /// Refer-To (RFC 3515), likewise.
    #[must_use]
    pub fn refer_to(&self) -> Option<Result<ReferTo<'_>, SyntaxError>> {
        self.header(&HeaderName::ReferTo).map(ReferTo::parse)
    }

    /// The entries of History-Info that can be read.
    pub fn history_info(&self) -> impl Iterator<Item = HistoryInfo<'_>> {
        self.all(&HeaderName::HistoryInfo).filter_map(|value| HistoryInfo::parse(value).ok())
    }

    /// The entries of Diversion that can be read.
    pub fn diversions(&self) -> impl Iterator<Item = Diversion<'_>> {
        self.all(&HeaderName::Diversion).filter_map(|value| Diversion::parse(value).ok())
    }

    /// The warnings that can be read.
    pub fn warnings(&self) -> impl Iterator<Item = Warning<'_>> {
        self.all(&HeaderName::Warning).filter_map(|value| Warning::parse(value).ok())
    }

    /// Timestamp (RFC 3261 §20.38), to be copied into a 100.
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp<'_>> {
        Timestamp::parse(self.header(&HeaderName::Timestamp)?).ok()
    }

    fn seconds(&self, name: &HeaderName) -> Option<u32> {
        delta_seconds(self.header(name)?)
    }
}
