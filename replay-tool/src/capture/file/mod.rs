//! What a capture file is, and the packets in it.
//!
//! The formats are read by hand: the libraries for them can't pass over a block that is larger than their buffer,
//! give a packet up for a malformed option beside it, and do not say where a file broke.

mod hep;
mod pcap;
mod pcapng;
mod window;

use std::fmt;
use std::io::Read;

use callbox_events::Timestamp;

use hep::HepFile;
use pcap::Pcap;
use pcapng::PcapNg;
use window::Window;

use crate::render::words::count;

/// One captured packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// When it was captured.
    pub at: Timestamp,
    /// What it begins with: a number of the registry of link types (`LINKTYPE_…`).
    pub link: u16,
    /// What was kept of it.
    pub data: &'a [u8],
}

/// What a file holds one after the other.
#[derive(Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A packet from a network.
    Packet(Packet<'a>),
    /// A packet of the Homer protocol, whole.
    Hep(&'a [u8]),
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// The classic format of libpcap.
    Pcap,
    /// Its successor.
    PcapNg,
    /// HEP version 3 packets in a row.
    Hep,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pcap => "pcap",
            Self::PcapNg => "pcapng",
            Self::Hep => "hep",
        })
    }
}

/// Where a file stops making sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it breaks at byte {offset}, after {}: {what}", count(*packets, "packet"))]
pub struct Broken {
    /// Byte offset of the record that is wrong, in the unpacked file.
    pub offset: u64,
    /// Packets read before it.
    pub packets: u64,
    /// What is wrong with it.
    pub what: String,
}

/// Why nothing of a file can be read.
#[derive(Debug, thiserror::Error)]
pub enum NotACapture {
    /// The system refuses to read it, or its packing is broken from the start.
    #[error("it can't be read: {0}")]
    Io(#[from] std::io::Error),
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It begins like nothing we know.
    #[error("it is neither pcap nor pcapng nor HEP")]
    Unknown,
}

/// A file that is read, whatever its format.
pub struct Reader<R> {
    window: Window<R>,
    kind: Kind,
    packets: u64,
}

enum Kind {
    Pcap(Pcap),
    PcapNg(PcapNg),
    Hep(HepFile),
}

/// What is wrong with a record; [`Reader`] knows where it is.
type Wrong = String;

impl<R: Read> Reader<R> {
    /// Looks at the first bytes.
    ///
    /// # Errors
    /// [`NotACapture`].
    pub fn open(input: R) -> Result<Self, NotACapture> {
        let mut window = Window::new(input);
        let head = window.at_least(pcap::HEADER)?;
        let kind = if head.is_empty() {
            return Err(NotACapture::Empty);
        } else if let Some(pcap) = Pcap::of(head) {
            window.pass(pcap::HEADER);
            Kind::Pcap(pcap)
        } else if PcapNg::begins(head) {
            Kind::PcapNg(PcapNg::default())
        } else if HepFile::begins(head) {
            Kind::Hep(HepFile)
        } else {
            return Err(NotACapture::Unknown);
        };
        Ok(Self { window, kind, packets: 0 })
    }

    /// The next packet; `None` at the end.
    ///
    /// # Errors
    /// [`Broken`], after which there is nothing more to read.
    pub fn next(&mut self) -> Result<Option<Record<'_>>, Broken> {
        let (packets, window) = (self.packets, &mut self.window);
        window.settle();
        let mut offset = window.offset();
        let next = match &mut self.kind {
            Kind::Pcap(pcap) => pcap.next(window),
            Kind::PcapNg(pcapng) => pcapng.next(window, &mut offset),
            Kind::Hep(hep) => hep.next(window),
        };
        match next {
            Ok(record) => {
                self.packets += u64::from(record.is_some());
                Ok(record)
            }
            Err(what) => Err(Broken { offset, packets, what }),
        }
    }

    /// What the file is.
    pub fn format(&self) -> Format {
        match self.kind {
            Kind::Pcap(_) => Format::Pcap,
            Kind::PcapNg(_) => Format::PcapNg,
            Kind::Hep(_) => Format::Hep,
        }
    }

    /// Packets that were skipped because nothing says what they begin with (pcapng alone).
    pub fn undeclared(&self) -> u64 {
        match &self.kind {
            Kind::PcapNg(pcapng) => pcapng.undeclared,
            Kind::Pcap(_) | Kind::Hep(_) => 0,
        }
    }
}

/// The byte order of a file's writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Order {
    #[default]
    Little,
    Big,
}

impl Order {
    /// The number at `at`; 0 behind the end, where callers have checked the length.
    fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    /// The same with 32 bits.
    fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }
}
