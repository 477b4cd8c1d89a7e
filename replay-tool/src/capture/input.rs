//! Where a capture comes from: a file or standard input, packed with gzip or not.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

/// The bytes of a capture, unpacked, and how far the file behind them was read.
pub struct Input {
    reader: Box<dyn Read>,
    done: Rc<Cell<u64>>,
    total: Option<u64>,
}

/// How far an [`Input`] was read; stays behind when the input is given away.
#[derive(Clone)]
pub struct Reach {
    done: Rc<Cell<u64>>,
    /// Bytes of the file as it lies on the disk; not known of a pipe.
    pub total: Option<u64>,
}

impl Reach {
    /// Bytes read so far, packed ones if the file is packed.
    pub fn done(&self) -> u64 {
        self.done.get()
    }
}

impl Input {
    /// A file, or standard input for `-`.
    ///
    /// # Errors
    /// Those of the system.
    pub fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Self::of(Box::new(io::stdin()), None);
        }
        let file = File::open(path)?;
        let about = file.metadata()?;
        if about.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Self::of(Box::new(file), about.is_file().then_some(about.len()))
    }

    fn of(raw: Box<dyn Read>, total: Option<u64>) -> io::Result<Self> {
        let done = Rc::new(Cell::new(0));
        let mut packed = BufReader::with_capacity(1 << 18, Counting { raw, done: Rc::clone(&done) });
        let reader: Box<dyn Read> = if packed.fill_buf()?.starts_with(GZIP) {
            Box::new(Unpacking(MultiGzDecoder::new(packed)))
        } else {
            Box::new(packed)
        };
        Ok(Self { reader, done, total })
    }

    /// A handle that tells how far it is read.
    pub fn reach(&self) -> Reach {
        Reach { done: Rc::clone(&self.done), total: self.total }
    }
}

/// RFC 1952 §2.3.1.
const GZIP: &[u8] = &[0x1f, 0x8b];

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reader.read(into)
    }
}

/// What is packed, with an error that says so.
struct Unpacking<R>(R);

impl<R: Read> Read for Unpacking<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                io::Error::new(error.kind(), "the packed file (gzip) ends too early")
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                io::Error::new(error.kind(), format!("the packed file (gzip) is damaged: {error}"))
            }
            _ => error,
        })
    }
}

struct Counting {
    raw: Box<dyn Read>,
    done: Rc<Cell<u64>>,
}

impl Read for Counting {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.raw.read(into)?;
        self.done.set(self.done.get() + read as u64);
        Ok(read)
    }
}
