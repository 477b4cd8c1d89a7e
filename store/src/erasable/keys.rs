//! The file of party keys: fixed places in one plain file, so that a key can be overwritten where it stands. sled and
//! the write-ahead log only ever add, and keep old copies; no key is ever in them.
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 8 | `cbxkeys` and a newline |
//! | 8 | 2 | the version: 1 |
//! | 10 | 2 | 0 |
//! | 12 | 32 | the store's secret, from which the places' ids are made |
//! | 44 | 4 | CRC-32C over bytes 0..44 |
//! | 48 | 16 | 0 |
//! | 64·n | 16 | place n, from 1 on: HMAC-SHA-256 (secret, "callbox party" and the party's identity), its first 16 bytes |
//! | 64·n + 16 | 32 | the party's key |
//! | 64·n + 48 | 4 | CRC-32C over n (4 bytes) and the 48 bytes before |
//! | 64·n + 52 | 12 | 0 |
//!
//! An erased place is zero altogether, and is never used again.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use callbox_events::schema::sealed::{Party, Ring};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::layout::{self, KEYS};
use crate::open_error::OpenError;

const MAGIC: &[u8; 8] = b"cbxkeys\n";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 48;

/// The bytes of one place.
pub const PLACE_BYTES: usize = 64;

const ID_BYTES: usize = 16;
const KEY_BYTES: usize = 32;

type Id = [u8; ID_BYTES];

/// A party's key.
pub type Key = [u8; KEY_BYTES];

/// What stands at a place.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A party's key.
    Key(Key),
    /// Zeros: it was erased.
    Erased,
    /// Neither: it can't be used.
    Damaged,
    /// Behind the end of the file.
    Absent,
}

/// Never shows the key.
impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "Key(..)",
            Self::Erased => "Erased",
            Self::Damaged => "Damaged",
            Self::Absent => "Absent",
        })
    }
}

/// The keys of a store's parties. Keys are read from the file each time, so a key that another process erases is gone.
#[derive(Debug)]
pub struct Keys {
    file: File,
    secret: Key,
    /// Whether something was written that is not synced.
    dirty: AtomicBool,
    /// Where each party's place is; filled when a writer opens the file.
    index: Mutex<Index>,
}

#[derive(Debug, Default)]
struct Index {
    places: HashMap<Id, u32>,
    /// The first place that was never used.
    next: u32,
}

impl Keys {
    /// Opens a store's file of keys for reading; `None` if the store is not erasable.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(store: &Path) -> Result<Option<Self>, OpenError> {
        let path = store.join(KEYS);
        match File::open(&path) {
            Ok(file) => Self::of(store, file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(OpenError::io("opening", &path)(error)),
        }
    }

    /// Opens it for writing; makes it if the store is to become erasable.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn writable(store: &Path, create: bool) -> Result<Option<Self>, OpenError> {
        let path = store.join(KEYS);
        if !path.exists() {
            if !create {
                return Ok(None);
            }
            make(store).map_err(OpenError::io("writing", &path))?;
        }
        let file = File::options().read(true).write(true).open(&path);
        let keys = Self::of(store, file.map_err(OpenError::io("opening", &path))?)?;
        let index = keys.scan().map_err(OpenError::io("reading", &path))?;
        *keys.index() = index;
        Ok(Some(keys))
    }

    fn of(store: &Path, file: File) -> Result<Self, OpenError> {
        let mut header = [0; HEADER_BYTES];
        let path = store.join(KEYS);
        file.read_exact_at(&mut header, 0).map_err(OpenError::io("reading", &path))?;
        let secret = read_header(&header).map_err(|what| match what {
            Header::Newer(found) => OpenError::Newer { dir: store.to_owned(), found, supported: VERSION },
            Header::Damaged => OpenError::Corrupt {
                dir: store.to_owned(),
                place: KEYS.into(),
                what: "its beginning can't be read; without it no party's data can".into(),
            },
        })?;
        Ok(Self { file, secret, dirty: AtomicBool::new(false), index: Mutex::default() })
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many places there are, erased ones among them.
    ///
    /// # Errors
    /// The system's.
    pub fn places(&self) -> io::Result<u32> {
        let places = self.file.metadata()?.len() / PLACE_BYTES as u64;
        u32::try_from(places.saturating_sub(1)).map_err(io::Error::other)
    }

    /// Where every party's place is.
    fn scan(&self) -> io::Result<Index> {
        let count = self.places()?;
        let mut index = Index { places: HashMap::new(), next: count + 1 };
        let mut block = vec![0; 1024 * PLACE_BYTES];
        let mut number = 1;
        while number <= count {
            let most = usize::try_from(count - number + 1).unwrap_or(usize::MAX).min(1024);
            let Some(block) = block.get_mut(..most * PLACE_BYTES) else { break };
            self.file.read_exact_at(block, offset(number))?;
            for place in block.chunks_exact(PLACE_BYTES) {
                if let (Some(id), Place::Key(_)) =
                    (place.first_chunk::<ID_BYTES>(), read_place(number, place))
                {
                    index.places.insert(*id, number);
                }
                number += 1;
            }
        }
        Ok(index)
    }

    fn id(&self, identity: &str) -> Id {
        let hash = hmac(&self.secret, &[b"callbox party", identity.as_bytes()]);
        let mut id = [0; ID_BYTES];
        id.iter_mut().zip(hash).for_each(|(place, byte)| *place = byte);
        id
    }

    /// The place of the party with this identity, if it has one.
    ///
    /// # Errors
    /// The system's.
    pub fn find(&self, identity: &str) -> io::Result<Option<u32>> {
        let id = self.id(identity);
        let known = self.index().places.get(&id).copied();
        match known {
            Some(number) => Ok(Some(number)),
            None => Ok(self.scan()?.places.get(&id).copied()),
        }
    }

    /// What stands at a place.
    ///
    /// # Errors
    /// The system's.
    pub fn place(&self, number: u32) -> io::Result<Place> {
        let mut place = [0; PLACE_BYTES];
        if number == 0 {
            return Ok(Place::Absent);
        }
        match self.file.read_exact_at(&mut place, offset(number)) {
            Ok(()) => Ok(read_place(number, &place)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Place::Absent),
            Err(error) => Err(error),
        }
    }

    /// The key at a place, unless it was erased.
    ///
    /// # Errors
    /// The system's.
    pub fn key(&self, number: u32) -> io::Result<Option<Key>> {
        Ok(match self.place(number)? {
            Place::Key(key) => Some(key),
            Place::Erased | Place::Damaged | Place::Absent => None,
        })
    }

    /// Makes durable what was written.
    ///
    /// # Errors
    /// The system's; then it is not known what is durable.
    pub fn sync(&self) -> io::Result<()> {
        if self.dirty.swap(false, Ordering::AcqRel) { self.file.sync_data() } else { Ok(()) }
    }

    /// Overwrites a place, durably. Returns what stood there.
    ///
    /// # Errors
    /// The system's; then it may have been overwritten or not.
    pub fn erase(&self, number: u32) -> io::Result<[u8; PLACE_BYTES]> {
        let mut index = self.index();
        let mut before = [0; PLACE_BYTES];
        self.file.read_exact_at(&mut before, offset(number))?;
        index.places.retain(|_, place| *place != number);
        self.file.write_all_at(&[0; PLACE_BYTES], offset(number))?;
        self.file.sync_all()?;
        Ok(before)
    }
}

impl Ring for Keys {
    fn party(&self, identity: &str) -> io::Result<Party> {
        let id = self.id(identity);
        let mut index = self.index();
        if let Some(number) = index.places.get(&id).copied()
            && let Some(key) = self.key(number)?
        {
            return Ok(party(number, &key));
        }
        let key = random()?;
        let number = index.next;
        let mut place = [0; PLACE_BYTES];
        let bytes = id.into_iter().chain(key).chain(checksum(number, &id, &key).to_be_bytes());
        place.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        self.file.write_all_at(&place, offset(number))?;
        self.dirty.store(true, Ordering::Release);
        index.next =
            number.checked_add(1).ok_or_else(|| io::Error::other("there are no more places for keys"))?;
        index.places.insert(id, number);
        Ok(party(number, &key))
    }
}

fn party(number: u32, key: &Key) -> Party {
    Party { number, secret: hmac(key, &[b"callbox pseudonyms"]) }
}

/// HMAC-SHA-256.
pub(super) fn hmac(key: &Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(place, byte)| *place = *byte);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

fn random() -> io::Result<Key> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key)
        .map_err(|error| io::Error::other(format!("the system gives no randomness: {error}")))?;
    Ok(key)
}

fn offset(number: u32) -> u64 {
    u64::from(number) * PLACE_BYTES as u64
}

fn checksum(number: u32, id: &[u8], key: &[u8]) -> u32 {
    let sum = crc32c::crc32c(&number.to_be_bytes());
    crc32c::crc32c_append(crc32c::crc32c_append(sum, id), key)
}

fn read_place(number: u32, place: &[u8]) -> Place {
    if place.iter().all(|byte| *byte == 0) {
        return Place::Erased;
    }
    let parts = place.split_first_chunk::<ID_BYTES>().and_then(|(id, rest)| {
        let (key, rest) = rest.split_first_chunk::<KEY_BYTES>()?;
        let (sum, _) = rest.split_first_chunk::<4>()?;
        Some((id, key, u32::from_be_bytes(*sum)))
    });
    match parts {
        Some((id, key, sum)) if sum == checksum(number, id, key) => Place::Key(*key),
        Some(_) | None => Place::Damaged,
    }
}

enum Header {
    Newer(u16),
    Damaged,
}

fn read_header(header: &[u8; HEADER_BYTES]) -> Result<Key, Header> {
    let parts = || {
        let (rest, sum) = header.split_last_chunk::<4>()?;
        let (magic, content) = rest.split_first_chunk::<8>()?;
        let (version, content) = content.split_first_chunk::<2>()?;
        let (_, secret) = content.split_first_chunk::<2>()?;
        let sound = magic == MAGIC && crc32c::crc32c(rest) == u32::from_be_bytes(*sum);
        sound.then_some((u16::from_be_bytes(*version), *secret.first_chunk::<KEY_BYTES>()?))
    };
    match parts() {
        Some((VERSION, secret)) => Ok(secret),
        Some((version, _)) if version > VERSION => Err(Header::Newer(version)),
        Some(_) | None => Err(Header::Damaged),
    }
}

/// Makes an empty file of keys.
fn make(store: &Path) -> io::Result<()> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&random()?);
    let sum = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&sum.to_be_bytes());
    bytes.resize(PLACE_BYTES, 0);
    let new = store.join("keys.new");
    let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all_at(&bytes, 0)?;
    file.sync_all()?;
    std::fs::rename(&new, store.join(KEYS))?;
    layout::sync_dir(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_keeps_its_key_until_it_is_erased_and_gets_another_one_then() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Keys::writable(dir.path(), false).unwrap().is_none());
        let keys = Keys::writable(dir.path(), true).unwrap().unwrap();
        let (alice, bob) = (keys.party("tel:1").unwrap(), keys.party("tel:2").unwrap());
        assert_eq!((alice.number, bob.number), (1, 2));
        assert_ne!(alice.secret, bob.secret);
        keys.sync().unwrap();
        drop(keys);
        let keys = Keys::writable(dir.path(), false).unwrap().unwrap();
        assert_eq!(keys.party("tel:1").unwrap(), alice);
        let reader = Keys::open(dir.path()).unwrap().unwrap();
        assert_eq!(reader.find("tel:2").unwrap(), Some(2));
        keys.erase(1).unwrap();
        assert_eq!((reader.place(1).unwrap(), reader.place(9).unwrap()), (Place::Erased, Place::Absent));
        assert!(reader.key(2).unwrap().is_some());
        assert_eq!((keys.find("tel:1").unwrap(), keys.places().unwrap()), (None, 2));
        assert_eq!(keys.party("tel:1").unwrap().number, 3, "a place is never used twice");
    }

    #[test]
    fn damage_is_seen_and_a_torn_place_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::writable(dir.path(), true).unwrap().unwrap();
        keys.party("a").unwrap();
        keys.party("b").unwrap();
        let path = dir.path().join(KEYS);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[PLACE_BYTES + 20] ^= 1;
        bytes.truncate(2 * PLACE_BYTES + 30);
        std::fs::write(&path, &bytes).unwrap();
        let keys = Keys::writable(dir.path(), false).unwrap().unwrap();
        assert_eq!(keys.place(1).unwrap(), Place::Damaged);
        assert_eq!(keys.party("b").unwrap().number, 2, "what was torn was never acknowledged");
        bytes[12] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(Keys::open(dir.path()), Err(OpenError::Corrupt { .. })));
    }
}
