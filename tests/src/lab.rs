//! One test's own folder: the journal, the logs of every program it starts, and the scenario files.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::cli::Cli;

/// The folder of one test. At its end every call in the journal is decided again (`callbox check`). Then the folder is
/// removed; kept, and named, if the test failed or `CALLBOX_KEEP=1` is set.
#[derive(Debug)]
pub struct Lab {
    folder: Option<TempDir>,
    path: PathBuf,
}

impl Lab {
    /// A new, empty folder.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("callbox-test-").tempdir().expect("a temporary folder");
        let path = folder.path().to_path_buf();
        Self { folder: Some(folder), path }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the engine's journal lies.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.path.join("store")
    }
}

impl Lab {
    /// What `callbox check` finds in the journal, if there is one; nothing while the test fails for another reason.
    fn check(&self) -> Result<(), String> {
        if std::thread::panicking() || !self.store().join("FORMAT").exists() {
            return Ok(());
        }
        let found = Cli::store(&self.store()).run(&["check"]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if found.status.success() { Ok(()) } else { Err(text(&found.stdout) + &text(&found.stderr)) }
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let checked = self.check();
        let wanted = std::env::var_os("CALLBOX_KEEP").is_some_and(|value| value == "1");
        if let Some(folder) = self.folder.take()
            && (std::thread::panicking() || wanted || checked.is_err())
        {
            println!("kept for a look: {}", folder.keep().display());
        }
        if let Err(parted) = checked {
            panic!("the record and the machine part:\n{parted}");
        }
    }
}
