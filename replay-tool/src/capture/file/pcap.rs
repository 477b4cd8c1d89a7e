//! The classic format of libpcap: a header, then records of a fixed head and a packet.

use std::io::Read;

use callbox_events::Timestamp;

use super::window::{MAX_RECORD, Window};
use super::{Order, Packet, Record, Wrong};

/// Bytes of the file's header.
pub const HEADER: usize = 24;

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pcap {
    order: Order,
    /// Time stamps count nanoseconds instead of microseconds.
    nanos: bool,
    /// Bytes of the head of a record; 8 more in a variant of old Linux distributions.
    head: usize,
    link: u16,
}

impl Pcap {
    /// The header, if it is one.
    pub fn of(header: &[u8]) -> Option<Self> {
        let whole = header.get(..HEADER)?;
        let (order, nanos, head) = match whole.first_chunk()? {
            [0xa1, 0xb2, 0xc3, 0xd4] => (Order::Big, false, 16),
            [0xd4, 0xc3, 0xb2, 0xa1] => (Order::Little, false, 16),
            [0xa1, 0xb2, 0x3c, 0x4d] => (Order::Big, true, 16),
            [0x4d, 0x3c, 0xb2, 0xa1] => (Order::Little, true, 16),
            [0xa1, 0xb2, 0xcd, 0x34] => (Order::Big, false, 24),
            [0x34, 0xcd, 0xb2, 0xa1] => (Order::Little, false, 24),
            _ => return None,
        };
        // The upper half says whether packets end with a checksum of the link, which nothing here minds.
        let link = u16::try_from(order.u32(whole, 20) & 0xffff).unwrap_or_default();
        Some(Self { order, nanos, head, link })
    }

    /// The next packet.
    pub fn next<'a, R: Read>(&self, window: &'a mut Window<R>) -> Result<Option<Record<'a>>, Wrong> {
        let head = window.at_least(self.head).map_err(|error| error.to_string())?;
        if head.is_empty() {
            return Ok(None);
        }
        if head.len() < self.head {
            return Err("the file ends within the head of a record".into());
        }
        let number = |at| self.order.u32(head, at);
        let (seconds, fraction, kept) = (number(0), number(4), number(8) as usize);
        if kept > MAX_RECORD - self.head {
            return Err(format!("a packet claims to have {kept} bytes"));
        }
        let micros = if self.nanos { fraction / 1000 } else { fraction };
        let at = Timestamp::from_micros(u64::from(seconds) * 1_000_000 + u64::from(micros));
        let whole = self.head + kept;
        if window.at_least(whole).map_err(|error| error.to_string())?.len() < whole {
            return Err(format!("the file ends within a packet of {kept} bytes"));
        }
        let data = window.lend(whole).get(self.head..).unwrap_or_default();
        Ok(Some(Record::Packet(Packet { at, link: self.link, data })))
    }
}
