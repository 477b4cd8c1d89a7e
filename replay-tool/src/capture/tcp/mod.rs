//! TCP: from segments to the SIP messages in them.
//!
//! Each direction of a connection is a stream of its own: put in order here, cut into messages by [`content`]. A stream
//! whose beginning was not captured is taken up at the first segment with SIP in it.

mod content;
mod frames;
mod stream;
mod text;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use bytes::Bytes;
use callbox_events::Timestamp;
use callbox_events::sip::Transport;
use callbox_sip::observe::Sighting;
use etherparse::TcpSlice;

use content::Content;
use stream::Stream;

/// The most streams that are remembered. Beyond, those without SIP are forgotten first, then the ones that have been
/// silent longest.
const MAX_STREAMS: usize = 16_384;
/// The most bytes that wait for others in all streams together.
const MAX_HELD: usize = 64 << 20;

/// Who talks to whom: one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Who sends.
    pub source: SocketAddr,
    /// Who receives.
    pub destination: SocketAddr,
}

impl Flow {
    fn reversed(self) -> Self {
        Self { source: self.destination, destination: self.source }
    }
}

/// What was lost on the way to messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Losses {
    /// Places where bytes are missing.
    pub gaps: u64,
    /// Places where something else is than a message.
    pub unframed: u64,
    /// WebSocket messages that could not be read.
    pub websocket: u64,
}

/// What streams give.
#[derive(Debug, Default)]
struct Found {
    messages: VecDeque<Sighting>,
    losses: Losses,
}

/// Where one stream puts what it finds.
struct Outlet<'a> {
    flow: Flow,
    found: &'a mut Found,
}

impl Outlet<'_> {
    fn message(&mut self, at: Timestamp, bytes: Bytes) {
        let Flow { source, destination } = self.flow;
        self.found.messages.push_back(Sighting { at, source, destination, transport: Transport::Tcp, bytes });
    }

    fn losses(&mut self) -> &mut Losses {
        &mut self.found.losses
    }
}

/// All streams that may carry SIP.
#[derive(Debug, Default)]
pub struct Streams {
    table: HashMap<Flow, Stream>,
    /// Bytes that wait in them.
    held: usize,
    found: Found,
}

impl Streams {
    /// Takes a segment.
    pub fn segment(&mut self, flow: Flow, tcp: &TcpSlice<'_>, at: Timestamp) {
        let mut seq = tcp.sequence_number();
        if tcp.syn() {
            seq = seq.wrapping_add(1);
            self.begin(flow, seq, at);
        }
        if tcp.ack() {
            let back = flow.reversed();
            let ack = tcp.acknowledgment_number();
            self.with(back, |stream, out| stream.acknowledged(ack, at, out));
        }
        if !tcp.payload().is_empty() {
            self.data(flow, seq, tcp.payload(), at);
        }
        if tcp.rst() || tcp.fin() && self.table.get(&flow).is_some_and(Stream::is_foreign) {
            self.end(flow);
            self.end(flow.reversed());
        }
    }

    /// The next message that was found.
    pub fn next_message(&mut self) -> Option<Sighting> {
        self.found.messages.pop_front()
    }

    /// What was lost so far.
    pub fn losses(&self) -> Losses {
        self.found.losses
    }

    /// The capture is over: what waits for missing bytes waits in vain.
    pub fn finish(&mut self) {
        let mut flows: Vec<Flow> = self.table.keys().copied().collect();
        flows.sort_unstable();
        for flow in flows {
            self.end(flow);
        }
    }

    fn begin(&mut self, flow: Flow, seq: u32, at: Timestamp) {
        // A SYN may be repeated, or be captured twice.
        if self.table.get(&flow).is_some_and(|stream| stream.began_with(seq)) {
            return;
        }
        self.end(flow);
        self.remember(flow, Stream::new(seq, Content::default(), at));
    }

    fn data(&mut self, flow: Flow, seq: u32, payload: &[u8], at: Timestamp) {
        if !self.table.contains_key(&flow) {
            let Some(content) = Content::midway(payload) else { return };
            self.remember(flow, Stream::new(seq, content, at));
        }
        self.with(flow, |stream, out| stream.push(seq, payload, at, out));
        if self.held > MAX_HELD {
            self.forget_some();
        }
    }

    /// Does something with a stream, if it is remembered, and keeps count of what it holds.
    fn with(&mut self, flow: Flow, act: impl FnOnce(&mut Stream, &mut Outlet<'_>)) {
        if let Some(stream) = self.table.get_mut(&flow) {
            self.held -= stream.held();
            act(stream, &mut Outlet { flow, found: &mut self.found });
            self.held += stream.held();
        }
    }

    fn end(&mut self, flow: Flow) {
        if let Some(mut stream) = self.table.remove(&flow) {
            self.held -= stream.held();
            stream.finish(&mut Outlet { flow, found: &mut self.found });
        }
    }

    fn remember(&mut self, flow: Flow, stream: Stream) {
        if self.table.len() >= MAX_STREAMS {
            self.forget_some();
        }
        self.table.insert(flow, stream);
    }

    fn forget_some(&mut self) {
        let rank = |(flow, stream): (&Flow, &Stream)| (!stream.is_foreign(), stream.last(), *flow);
        let mut dispensable: Vec<_> = self.table.iter().map(rank).collect();
        dispensable.sort_unstable();
        let some = dispensable.len().div_ceil(8);
        for (_, _, flow) in dispensable.into_iter().take(some) {
            self.end(flow);
        }
    }
}
