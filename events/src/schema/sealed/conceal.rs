//! What finds the personal data in a commit and puts pseudonyms in its place.
//!
//! It takes knowledge of SIP, which neither the schema nor the journal has; so it is handed to the journal.

use std::fmt::Debug;
use std::io;
use std::ops::Range;

use crate::schema::Commit;

/// A commit without what is personal, and that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Concealed {
    /// The encoded commit with pseudonyms.
    pub bytes: Vec<u8>,
    /// Where they stand; in order, without overlap.
    pub holes: Vec<Hole>,
    /// What they stand for, one after another.
    pub originals: Vec<u8>,
    /// The numbers of the keys of the people of the call, as far as they are known.
    pub people: Vec<u32>,
}

/// A place where something personal stood: inside a text or inside bytes of the encoded commit, or whole values of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// Where the pseudonym stands in [`Concealed::bytes`].
    pub at: usize,
    /// How long it is.
    pub length: usize,
    /// Where the original stands in [`Concealed::originals`].
    pub original: Range<usize>,
    /// Whose it is: a bit for each of [`Concealed::people`]. Nobody's is the Content-Length of a message alone.
    pub whose: u16,
}

/// What a party's key gives to those who make pseudonyms.
#[derive(Clone, PartialEq, Eq)]
pub struct Party {
    /// The number of the key: for ever this party's, and no other's.
    pub number: u32,
    /// A secret for the party's pseudonyms. It is lost with the key.
    pub secret: [u8; 32],
}

/// Never shows the secret.
impl Debug for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Party").field("number", &self.number).finish_non_exhaustive()
    }
}

/// The keys of all parties.
pub trait Ring {
    /// The party with this identity; it gets a key if it has none.
    ///
    /// # Errors
    /// The system's.
    fn party(&self, identity: &str) -> io::Result<Party>;
}

/// How much is left of messages without any key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All but what is personal.
    Personal,
    /// Nothing: messages are taken out as a whole. A commit is hardly longer sealed like this than it was, and so fits
    /// where it would not fit otherwise.
    Messages,
}

/// Finds personal data in the commits of calls.
pub trait Conceal: Send + Sync + Debug {
    /// For the commits of one call, from its first one on.
    fn call(&self) -> Box<dyn ConcealCall>;

    /// The identity under which [`Ring::party`] knows whom a person means by a number or an address.
    ///
    /// # Errors
    /// In words, for what is neither.
    fn identity(&self, text: &str) -> Result<String, String>;
}

/// Finds personal data in the commits of one call. What is learned from one commit helps with the later ones.
pub trait ConcealCall: Send {
    /// Puts pseudonyms in the place of what is personal. `extent` says how much of the messages stays readable then.
    ///
    /// # Errors
    /// Those of the ring; [`io::ErrorKind::InvalidData`] for bytes that are no encoded commit.
    fn commit(
        &mut self,
        commit: &Commit,
        encoded: &[u8],
        extent: Extent,
        ring: &dyn Ring,
    ) -> io::Result<Concealed>;

    /// The keys of the people of the call, as far as they are known.
    fn people(&self) -> Vec<u32>;
}
