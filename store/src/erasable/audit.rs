//! What the file of keys and the receipts say, compared with each other.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use super::keys::{Keys, Place};
use super::receipt::{self, Kept, link};
use crate::layout::{ERASURES, KEYS};
use crate::open_error::OpenError;
use crate::proof::key::{PublicKey, Standing};
use crate::verify::{Damage, Report};

/// What an erasable store says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erasures {
    /// Parties whose keys are there.
    pub parties: u64,
    /// Parties whose keys were erased.
    pub erased: u64,
    /// The receipts, in order.
    pub receipts: Vec<Kept>,
    /// How many of them are signed with a given key.
    pub signed: u64,
}

/// Looks at the keys and the receipts of a store; `None` if it is not erasable. What is wrong is added to `report`.
///
/// # Errors
/// [`OpenError`].
pub fn audit(store: &Path, keys: &[PublicKey], report: &mut Report) -> Result<Option<Erasures>, OpenError> {
    let ring = match Keys::open(store) {
        Ok(Some(ring)) => ring,
        Ok(None) => return Ok(None),
        Err(OpenError::Corrupt { place, what, .. }) => {
            report.add(Damage { place, what });
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let kept = receipt::kept(store).map_err(OpenError::io("reading", &store.join(ERASURES)))?;
    kept.damages.into_iter().for_each(|what| report.add(Damage { place: ERASURES.into(), what }));
    let mut found = Erasures { receipts: kept.receipts, ..Erasures::default() };
    found.follow(keys, report);
    found.compare(&ring, report).map_err(OpenError::io("reading", &store.join(KEYS)))?;
    Ok(Some(found))
}

impl Erasures {
    /// Each receipt names the one before, and is signed with a key that was given.
    fn follow(&mut self, keys: &[PublicKey], report: &mut Report) {
        let mut previous = None;
        for (number, kept) in (1..).zip(&self.receipts) {
            let mut wrong =
                |what: &str| report.add(Damage { place: format!("receipt {number}"), what: what.into() });
            if kept.receipt.previous != previous {
                wrong("it does not follow the one before");
            }
            previous = Some(link(&kept.note));
            match kept.standing(keys) {
                Standing::Signed => self.signed += 1,
                Standing::Forged => wrong("its signature does not fit"),
                Standing::Unsigned if keys.is_empty() => {}
                Standing::Unsigned => wrong("it is not signed with a key that was given"),
            }
        }
    }

    /// A key is gone if a receipt says so, and only then.
    fn compare(&mut self, ring: &Keys, report: &mut Report) -> io::Result<()> {
        let told: HashSet<u32> = self.receipts.iter().map(|kept| kept.receipt.party).collect();
        for number in 1..=ring.places()? {
            let what = match (ring.place(number)?, told.contains(&number)) {
                (Place::Key(_), false) => {
                    self.parties += 1;
                    continue;
                }
                (Place::Erased, true) => {
                    self.erased += 1;
                    continue;
                }
                (Place::Key(_), true) => "a receipt says that it was erased, but the key is there",
                (Place::Erased, false) => "the key was erased, but no receipt says so",
                (Place::Damaged | Place::Absent, _) => "the key is damaged; what it sealed can't be read",
            };
            report.add(Damage { place: format!("{KEYS}, party {number}"), what: what.into() });
        }
        Ok(())
    }
}
