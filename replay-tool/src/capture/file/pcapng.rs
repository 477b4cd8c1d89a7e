//! pcapng (draft-ietf-opsawg-pcapng): blocks, in sections that each have a byte order and a list of interfaces.

use std::io::Read;

use callbox_events::Timestamp;

use super::window::{MAX_RECORD, Window};
use super::{Order, Packet, Record, Wrong};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Type and length.
const HEAD: usize = 8;
/// The length again.
const TAIL: usize = 4;
/// The most interfaces of a section: far beyond any machine.
const MAX_INTERFACES: usize = 65_536;

/// Where in a file of blocks we are.
#[derive(Debug, Default)]
pub struct PcapNg {
    order: Order,
    interfaces: Vec<Interface>,
    /// The time of the packet before: simple packets have none.
    last: Timestamp,
    /// Packets of interfaces that the section does not declare.
    pub undeclared: u64,
}

/// What a section says about one interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Interface {
    link: u16,
    /// The most bytes that are kept of a packet; 0 is all.
    snap: u32,
    /// Units of time stamps in a second.
    per_second: u64,
    /// Seconds to add to time stamps.
    offset: i64,
}

/// A packet before its bytes are lent: which interface, when, where its bytes are in the block.
struct Found {
    interface: usize,
    ticks: Option<u64>,
    from: usize,
    kept: usize,
}

impl PcapNg {
    /// Whether a file begins with a section.
    pub fn begins(head: &[u8]) -> bool {
        head.starts_with(&SECTION.to_be_bytes())
            && head.get(8..12).is_some_and(|magic| byte_order(magic).is_some())
    }

    /// The next packet; `offset` is left at the block that is wrong if one is.
    pub fn next<'a, R: Read>(
        &mut self,
        window: &'a mut Window<R>,
        offset: &mut u64,
    ) -> Result<Option<Record<'a>>, Wrong> {
        loop {
            *offset = window.offset();
            let head = window.at_least(HEAD + 4).map_err(|error| error.to_string())?;
            if head.is_empty() {
                return Ok(None);
            }
            let Some((kind, length)) = self.head(head)? else {
                return Err("the file ends within the head of a block".into());
            };
            if !matches!(kind, SECTION | INTERFACE | OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET) {
                if !window.skip(u64::from(length)).map_err(|error| error.to_string())? {
                    return Err(format!("the file ends within a block of {length} bytes"));
                }
                continue;
            }
            let length = length as usize;
            if let Some((packet, from, to)) = self.block(kind, length, window)? {
                let data = window.lend(length).get(from..to).unwrap_or_default();
                return Ok(Some(Record::Packet(Packet { data, ..packet })));
            }
            window.pass(length);
        }
    }

    /// Type and length of the block that begins here.
    fn head(&mut self, head: &[u8]) -> Result<Option<(u32, u32)>, Wrong> {
        let Some(magic) = head.get(HEAD..HEAD + 4) else { return Ok(None) };
        let kind = self.order.u32(head, 0);
        // The type of a section reads the same both ways; what follows is in the section's own order.
        if kind == SECTION {
            self.order = byte_order(magic).ok_or("a section has no byte order")?;
        }
        let length = self.order.u32(head, 4);
        if length < 12 || !length.is_multiple_of(4) {
            return Err(format!("a block claims to have {length} bytes"));
        }
        Ok(Some((kind, length)))
    }

    /// Reads a block that matters; gives the packet in it, without its bytes, and where these are.
    fn block<R: Read>(
        &mut self,
        kind: u32,
        length: usize,
        window: &mut Window<R>,
    ) -> Result<Option<(Packet<'static>, usize, usize)>, Wrong> {
        if length > MAX_RECORD {
            return Err(format!("a block claims to have {length} bytes"));
        }
        let at_hand = window.at_least(length).map_err(|error| error.to_string())?;
        let Some(block) = at_hand.get(..length) else {
            return Err(format!("the file ends within a block of {length} bytes"));
        };
        let again = self.order.u32(block, length - TAIL) as usize;
        if again != length {
            return Err(format!("a block of {length} bytes says {again} at its end"));
        }
        let body = block.get(..length - TAIL).unwrap_or_default();
        match kind {
            SECTION => self.interfaces.clear(),
            INTERFACE => self.declare(body)?,
            _ => return self.packet(kind, body),
        }
        Ok(None)
    }

    fn declare(&mut self, body: &[u8]) -> Result<(), Wrong> {
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(format!("a section has more than {MAX_INTERFACES} interfaces"));
        }
        let (link, snap) = (self.order.u16(body, 8), self.order.u32(body, 12));
        let mut interface = Interface { link, snap, per_second: 1_000_000, offset: 0 };
        let options = Options { order: self.order, rest: body.get(16..).unwrap_or_default() };
        for (code, value) in options {
            match (code, value) {
                (9, [resolution, ..]) => interface.per_second = per_second(*resolution),
                (14, value) => {
                    if let Some(bytes) = value.first_chunk() {
                        interface.offset = match self.order {
                            Order::Little => i64::from_le_bytes(*bytes),
                            Order::Big => i64::from_be_bytes(*bytes),
                        };
                    }
                }
                _ => {}
            }
        }
        self.interfaces.push(interface);
        Ok(())
    }

    fn packet(&mut self, kind: u32, body: &[u8]) -> Result<Option<(Packet<'static>, usize, usize)>, Wrong> {
        let found = self.find(kind, body);
        let Some(interface) = self.interfaces.get(found.interface) else {
            self.undeclared += 1;
            return Ok(None);
        };
        let end = found.from.saturating_add(found.kept);
        if end > body.len() {
            return Err(format!("a packet of {} bytes is larger than its block", found.kept));
        }
        if let Some(ticks) = found.ticks {
            self.last = interface.time(ticks);
        }
        Ok(Some((Packet { at: self.last, link: interface.link, data: &[] }, found.from, end)))
    }

    fn find(&self, kind: u32, body: &[u8]) -> Found {
        let number = |at| self.order.u32(body, at);
        let ticks = || Some((u64::from(number(12)) << 32) | u64::from(number(16)));
        match kind {
            SIMPLE_PACKET => {
                let snap = self.interfaces.first().map_or(0, |interface| interface.snap);
                let original = number(8) as usize;
                let kept = if snap == 0 { original } else { original.min(snap as usize) };
                Found { interface: 0, ticks: None, from: 12, kept: kept.min(body.len().saturating_sub(12)) }
            }
            OBSOLETE_PACKET => {
                let interface = usize::from(self.order.u16(body, 8));
                Found { interface, ticks: ticks(), from: 28, kept: number(20) as usize }
            }
            _ => Found { interface: number(8) as usize, ticks: ticks(), from: 28, kept: number(20) as usize },
        }
    }
}

impl Interface {
    fn time(self, ticks: u64) -> Timestamp {
        let micros = u128::from(ticks) * 1_000_000 / u128::from(self.per_second);
        let micros = i128::try_from(micros).unwrap_or(i128::MAX) + i128::from(self.offset) * 1_000_000;
        Timestamp::from_micros(u64::try_from(micros.max(0)).unwrap_or(u64::MAX))
    }
}

/// `if_tsresol`: a negative power of ten, or of two if the highest bit is set. Finer than what 64 bits count is taken as
/// microseconds.
fn per_second(resolution: u8) -> u64 {
    let power = u32::from(resolution & 0x7f);
    let base: u64 = if resolution & 0x80 == 0 { 10 } else { 2 };
    base.checked_pow(power).unwrap_or(1_000_000)
}

fn byte_order(magic: &[u8]) -> Option<Order> {
    match magic {
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Order::Big),
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Order::Little),
        _ => None,
    }
}

/// Options up to their end, or to the first that makes no sense: they only describe.
struct Options<'a> {
    order: Order,
    rest: &'a [u8],
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.rest.split_at_checked(4)?;
        let (code, length) = (self.order.u16(head, 0), usize::from(self.order.u16(head, 2)));
        let value = rest.get(..length).filter(|_| code != 0)?;
        self.rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    }
}
