//! What was read of a header's value once, kept as places in it: to read it again costs nothing then.

use super::grammar::{NameAddr, Params, Via};

/// A part of a header's value. No header line is longer than [`super::Limits::max_message`], so 32 bits are plenty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Where `part`, a slice of `whole`, stands in it. An empty part stands nowhere, which is as good as anywhere.
    pub fn of(whole: &str, part: &str) -> Self {
        let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
        match (u32::try_from(start), u32::try_from(start.wrapping_add(part.len()))) {
            (Ok(start), Ok(end)) if !part.is_empty() => Self { start, end },
            _ => Self { start: 0, end: 0 },
        }
    }

    /// The part; none if someone put another value into the header since.
    pub fn within(self, whole: &str) -> Option<&str> {
        whole.get(usize::try_from(self.start).ok()?..usize::try_from(self.end).ok()?)
    }

    fn or_empty(self, whole: &str) -> &str {
        self.within(whole).unwrap_or_default()
    }
}

/// The parts of a [`Via`].
#[derive(Debug, Clone, Copy)]
pub(super) struct ViaSpans {
    transport: Span,
    host: Span,
    port: Option<u16>,
    params: Span,
}

impl ViaSpans {
    /// Of a value and what was read of it.
    pub fn of(whole: &str, via: &Via<'_>) -> Self {
        let span = |part| Span::of(whole, part);
        Self {
            transport: span(via.transport),
            host: span(via.host),
            port: via.port,
            params: span(via.params.as_str()),
        }
    }

    /// What was read.
    pub fn within(self, whole: &str) -> Via<'_> {
        Via {
            transport: self.transport.or_empty(whole),
            host: self.host.or_empty(whole),
            port: self.port,
            params: Params::lenient(self.params.or_empty(whole)),
        }
    }
}

/// The parts of a [`NameAddr`].
#[derive(Debug, Clone, Copy)]
pub(super) struct AddressSpans {
    display: Span,
    uri: Span,
    params: Span,
}

impl AddressSpans {
    /// Of a value and what was read of it.
    pub fn of(whole: &str, address: &NameAddr<'_>) -> Self {
        let span = |part| Span::of(whole, part);
        Self {
            display: span(address.written_display()),
            uri: span(address.uri),
            params: span(address.params.as_str()),
        }
    }

    /// What was read.
    pub fn within(self, whole: &str) -> NameAddr<'_> {
        let params = Params::lenient(self.params.or_empty(whole));
        NameAddr::of_parts(self.display.or_empty(whole), self.uri.or_empty(whole), params)
    }
}
