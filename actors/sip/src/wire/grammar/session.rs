//! Session-Expires and Min-SE (RFC 4028).

use super::quote::trim;
use super::{Params, SyntaxError, delta_seconds};

/// Who refreshes the session, seen from the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresher {
    /// The client of the INVITE or UPDATE.
    Uac,
    /// Its server.
    Uas,
}

/// `1800;refresher=uac`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionExpires {
    /// Seconds.
    pub interval: u32,
    /// Who refreshes, if said.
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    /// Reads the value; Min-SE has the same shape without a refresher.
    ///
    /// # Errors
    /// No number of seconds.
    pub fn parse(value: &str) -> Result<Self, SyntaxError> {
        let (seconds, tail) = value.split_at(value.find(';').unwrap_or(value.len()));
        let interval = delta_seconds(trim(seconds)).ok_or(SyntaxError("no number of seconds"))?;
        let params = Params::parse(tail)?;
        let refresher = params.get("refresher").and_then(|who| match who {
            who if who.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            who if who.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            _ => None,
        });
        Ok(Self { interval, refresher })
    }
}
