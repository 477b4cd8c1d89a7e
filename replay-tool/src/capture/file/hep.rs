//! A file of HEP version 3 packets in a row, as `heplify` and `socat` leave it.

use std::io::Read;

use callbox_sip::observe::hep;

use super::window::Window;
use super::{Record, Wrong};

/// Nothing has to be remembered from one packet to the next.
#[derive(Debug)]
pub struct HepFile;

impl HepFile {
    /// Whether a file begins with such a packet.
    pub fn begins(head: &[u8]) -> bool {
        hep::length(head).is_some()
    }

    /// The next packet.
    pub fn next<'a, R: Read>(&self, window: &'a mut Window<R>) -> Result<Option<Record<'a>>, Wrong> {
        let at_hand = window.at_least(hep::MAX_PACKET).map_err(|error| error.to_string())?;
        if at_hand.is_empty() {
            return Ok(None);
        }
        let length = hep::length(at_hand).ok_or("no HEP packet begins here")?;
        if at_hand.len() < length {
            return Err(format!("the file ends within a packet of {length} bytes"));
        }
        Ok(Some(Record::Hep(window.lend(length))))
    }
}
