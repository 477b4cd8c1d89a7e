//! vCon (draft-ietf-vcon-vcon-core, syntax 0.4.0): a JSON document a call, signed as JWS where a key is given.
//!
//! - Into a stream, a document a line; into a directory, a file `UUID.vcon.json` each.
//! - [`document`] says what of a call stands where, [`sign`] how it is signed.

mod document;
mod sign;

use std::io::Write;
use std::path::{Path, PathBuf};

use callbox_events::Timestamp;

pub use self::sign::Signer;
use super::CallSink;
use super::call::Call;
use super::destination::Destination;
use crate::failure::Failure;

/// What all documents of one export have in common.
pub struct Circumstances {
    /// When it is made.
    pub now: Timestamp,
    /// Up to where the journal was read.
    pub watermark: u64,
    /// Whether the recorded events and messages go along.
    pub events: bool,
    /// What was replaced, if anything.
    pub redacted: Option<&'static str>,
}

/// Where documents go.
pub enum Place {
    /// One a line.
    Lines(Destination),
    /// One a file.
    Directory {
        /// The directory.
        dir: PathBuf,
        /// Whether files that are there are replaced.
        replace: bool,
    },
}

/// Writes vCons.
pub struct Vcon {
    place: Place,
    circumstances: Circumstances,
    signer: Option<Signer>,
}

impl Vcon {
    /// Into `place`, signed if there is a signer.
    pub fn new(place: Place, circumstances: Circumstances, signer: Option<Signer>) -> Self {
        Self { place, circumstances, signer }
    }

    /// Whether `-o` names a directory: one that exists, or a name that ends with a slash. It is made if it is missing.
    pub fn directory(path: &Path) -> Result<Option<PathBuf>, Failure> {
        let named_so = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if named_so && !path.exists() {
            std::fs::create_dir_all(path)?;
        }
        Ok((named_so || path.is_dir()).then(|| path.to_owned()))
    }
}

impl CallSink for Vcon {
    fn call(&mut self, call: &Call) -> Result<(), Failure> {
        let (uuid, document) = document::of(call, &self.circumstances);
        let text = match &self.signer {
            Some(signer) => serde_json::to_string(&signer.sign(&uuid, &serde_json::to_vec(&document)?))?,
            None => serde_json::to_string(&document)?,
        };
        match &mut self.place {
            Place::Lines(out) => {
                out.write_all(text.as_bytes())?;
                Ok(out.write_all(b"\n")?)
            }
            Place::Directory { dir, replace } => {
                let mut file = Destination::file(&dir.join(format!("{uuid}.vcon.json")), *replace)?;
                file.write_all(text.as_bytes())?;
                file.write_all(b"\n")?;
                file.finish()
            }
        }
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        match self.place {
            Place::Lines(out) => out.finish(),
            Place::Directory { .. } => Ok(()),
        }
    }
}
