//! The bytes of a recording: magic, then records, each with a marker, a length and a checksum.
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 4 | marker |
//! | 4 | 1 | kind |
//! | 5 | 1 | flags |
//! | 6 | 2 | 0 |
//! | 8 | 4 | length of the body |
//! | 12 | 4 | CRC-32C over the record's place in the file (8 bytes, not stored), bytes 4..12, and the body |
//! | 16 | … | the body |
//!
//! The marker lets a reader find the next sound record behind damage. The checksum covers the place, so a record that
//! was moved is damage like any other.

/// How every recording begins. Its first byte is no text, and line ends that a transfer rewrites show at once.
pub const MAGIC: [u8; 16] = *b"\x89CALLBOX-REC\r\n\x1a\n";

/// The newest format that this build reads and the one it writes.
pub const VERSION: u16 = 1;

/// Magic, version (2 bytes), 6 zero bytes.
pub const START_BYTES: usize = 24;

/// Bytes before the body of a record.
pub const RECORD_BYTES: usize = 16;

/// No record is larger: bounds what a damaged or hostile length can make a reader allocate.
pub const MAX_BODY: usize = 4 << 20;

/// What every record begins with; 0xcb begins no UTF-8 text that a SIP message would have here by chance.
pub const MARKER: [u8; 4] = [0xcb, b'R', b'E', 0x1e];

/// Flag of a commit: a commitment to the original commit stands in front of the frame.
pub const COMMITTED: u8 = 1;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// JSON: [`super::Header`]. The first record.
    Header,
    /// Place of the call's commit before (8 bytes, 0 for none), global sequence number (8), the commitment (32, if the
    /// flag says so), then a frame as in the store.
    Commit,
    /// Name (2 bytes of length, text), version (2), then bytes that only its name explains.
    Section,
    /// Entries of call (16) and place of its last commit (8), ascending within and between index records.
    Index,
    /// Calls, commits, events (8 each), then SHA-256 of everything before this record. The last one.
    End,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Header, Self::Commit, Self::Section, Self::Index, Self::End];

    fn byte(self) -> u8 {
        match self {
            Self::Header => 1,
            Self::Commit => 2,
            Self::Section => 3,
            Self::Index => 4,
            Self::End => 5,
        }
    }
}

/// The beginning of every file.
pub fn start() -> [u8; START_BYTES] {
    let mut bytes = [0; START_BYTES];
    let (magic, rest) = bytes.split_at_mut(MAGIC.len());
    magic.copy_from_slice(&MAGIC);
    rest.iter_mut().zip(VERSION.to_be_bytes()).for_each(|(place, byte)| *place = byte);
    bytes
}

/// The version that the beginning of a file names; none if it is no recording.
pub fn version_of(start: &[u8; START_BYTES]) -> Option<u16> {
    let (magic, rest) = start.split_first_chunk::<16>()?;
    let (version, _) = rest.split_first_chunk::<2>()?;
    (*magic == MAGIC).then(|| u16::from_be_bytes(*version))
}

/// A record's bytes in front of its body.
pub fn head(place: u64, kind: Kind, flags: u8, body: &[u8]) -> [u8; RECORD_BYTES] {
    let mut head = [0; RECORD_BYTES];
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    let fields = MARKER.into_iter().chain([kind.byte(), flags, 0, 0]).chain(length);
    head.iter_mut().zip(fields).for_each(|(place, byte)| *place = byte);
    let sum = checksum(place, &head, body).to_be_bytes();
    head.iter_mut().skip(12).zip(sum).for_each(|(place, byte)| *place = byte);
    head
}

fn checksum(place: u64, head: &[u8; RECORD_BYTES], body: &[u8]) -> u32 {
    let sum = crc32c::crc32c(&place.to_be_bytes());
    let sum = crc32c::crc32c_append(sum, head.get(4..12).unwrap_or_default());
    crc32c::crc32c_append(sum, body)
}

/// What a record's first bytes say, not yet compared with its checksum.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// The bytes themselves.
    pub bytes: [u8; RECORD_BYTES],
    /// None for a kind that a later minor version may add: to be skipped.
    pub kind: Option<Kind>,
    /// See [`COMMITTED`].
    pub flags: u8,
    /// Bytes of the body, at most [`MAX_BODY`].
    pub length: usize,
}

impl Head {
    /// Reads the beginning of a record; none if it is no record or a larger one than is ever written.
    pub fn read(bytes: [u8; RECORD_BYTES]) -> Option<Self> {
        let (marker, rest) = bytes.split_first_chunk::<4>()?;
        let (about, rest) = rest.split_first_chunk::<4>()?;
        let (length, _) = rest.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        if *marker != MARKER || length > MAX_BODY {
            return None;
        }
        let kind = Kind::ALL.into_iter().find(|kind| kind.byte() == about[0]);
        Some(Self { bytes, kind, flags: about[1], length })
    }

    /// Whether `body` is what was written at `place`.
    pub fn fits(&self, place: u64, body: &[u8]) -> bool {
        let written = self.bytes.get(12..).unwrap_or_default();
        checksum(place, &self.bytes, body).to_be_bytes() == *written
    }
}

/// A commit's record, taken apart.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// Where the call's commit before stands; none for the first in here.
    pub before: Option<u64>,
    /// Global sequence number.
    pub seq: u64,
    /// Commitment to the original, in a redacted recording.
    pub commitment: Option<[u8; 32]>,
    /// The frame.
    pub frame: &'a [u8],
}

impl<'a> Commit<'a> {
    /// Takes the body of a commit's record apart.
    pub fn read(flags: u8, body: &'a [u8]) -> Option<Self> {
        let (before, rest) = body.split_first_chunk::<8>()?;
        let (seq, rest) = rest.split_first_chunk::<8>()?;
        let (commitment, frame) = if flags & COMMITTED == 0 {
            (None, rest)
        } else {
            let (commitment, rest) = rest.split_first_chunk::<32>()?;
            (Some(*commitment), rest)
        };
        let before = Some(u64::from_be_bytes(*before)).filter(|place| *place != 0);
        Some(Self { before, seq: u64::from_be_bytes(*seq), commitment, frame })
    }
}
