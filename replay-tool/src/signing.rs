//! The private key that signs what a command writes to a store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use callbox_store::proof::key::SigningKey;
use callbox_store::seal;
use callbox_store::sled::Options;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::source;

/// How checkpoints of what is written are signed.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Signing {
    /// Private key that signs the store's checkpoints, as `callbox key new` makes it; needed if they are signed already
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
}

impl Signing {
    /// The options of a journal in `store` that a command writes to.
    pub fn options(&self, store: &Path) -> Result<Options, Failure> {
        let signing_key = self.signing_key.as_deref().map(key).transpose()?.map(Arc::new);
        if signing_key.is_none() && seal::newest(store)?.is_some_and(|entry| entry.is_signed()) {
            let message =
                "the checkpoints of this store are signed, and those of what is written now must be, too";
            return Err(Failure::new(ExitCode::Usage, "no_key", message)
                .hint("give its private key: --signing-key FILE"));
        }
        Ok(Options { signing_key, ..source::writing() })
    }
}

/// The private key in this file.
pub fn key(path: &Path) -> Result<SigningKey, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(
            ExitCode::NotFound,
            "file_not_read",
            format!("{} can't be read: {error}", path.display()),
        )
    })?;
    SigningKey::parse(&text).map_err(|error| {
        let message = format!("{} holds no private key: {error}", path.display());
        Failure::new(ExitCode::Usage, "bad_key", message).hint("`callbox key new -o FILE` makes one")
    })
}
