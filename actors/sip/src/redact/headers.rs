//! What a header is to redaction.

/// Kinds of headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// Carries identities or places in encoded form, where nothing could be replaced.
    LeftOut,
    /// Its numbers belong to the protocol.
    Untouched,
    /// For people to read.
    Prose,
    /// About the body; goes where it goes.
    OfTheBody,
    /// The length of the body.
    Length,
    /// The hops of the request.
    Via,
    /// The Call-ID, which the caller made.
    CallId,
    /// Servers on the way.
    Route,
    /// What a user proves to be.
    Credentials,
    /// Names people by their addresses.
    Person,
    /// Anything else; its addresses belong to whoever sent the message.
    Other,
}

/// The longest name in the list.
const MAX_NAME: usize = 24;

impl Header {
    /// Of this name, in any letters.
    pub fn named(name: &str) -> Self {
        let mut small = [0; MAX_NAME];
        let Some(small) = small.get_mut(..name.len()) else { return Self::Other };
        small.copy_from_slice(name.as_bytes());
        small.make_ascii_lowercase();
        match &*small {
            b"identity"
            | b"identity-info"
            | b"y"
            | b"n"
            | b"user-to-user"
            | b"geolocation"
            | b"p-access-network-info"
            | b"p-charging-vector" => Self::LeftOut,
            b"cseq" | b"rack" | b"rseq" | b"timestamp" | b"max-forwards" | b"expires" | b"min-expires"
            | b"session-expires" | b"x" | b"min-se" | b"date" | b"retry-after" => Self::Untouched,
            b"subject"
            | b"s"
            | b"organization"
            | b"user-agent"
            | b"server"
            | b"x-asterisk-hangupcause"
            | b"error-info" => Self::Prose,
            b"content-type"
            | b"c"
            | b"content-encoding"
            | b"e"
            | b"content-disposition"
            | b"content-language"
            | b"mime-version" => Self::OfTheBody,
            b"content-length" | b"l" => Self::Length,
            b"via" | b"v" => Self::Via,
            b"call-id" | b"i" => Self::CallId,
            b"route" | b"record-route" | b"path" | b"service-route" => Self::Route,
            b"authorization" | b"proxy-authorization" => Self::Credentials,
            b"from"
            | b"f"
            | b"to"
            | b"t"
            | b"p-asserted-identity"
            | b"p-preferred-identity"
            | b"p-called-party-id"
            | b"p-associated-uri"
            | b"remote-party-id"
            | b"diversion"
            | b"history-info"
            | b"referred-by"
            | b"b"
            | b"refer-to"
            | b"r"
            | b"reply-to" => Self::Person,
            _ => Self::Other,
        }
    }
}

/// Whether this parameter of a Via holds a host.
pub fn is_host_parameter(name: &str) -> bool {
    name.eq_ignore_ascii_case("received") || name.eq_ignore_ascii_case("maddr")
}
