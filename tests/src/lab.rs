//! One test's own folder: the journal, the logs of every program it starts, and the scenario files.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The folder of one test. Removed at the end; kept, and named, if the test failed or `CALLBOX_KEEP=1` is set.
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

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let wanted = std::env::var_os("CALLBOX_KEEP").is_some_and(|value| value == "1");
        if let Some(folder) = self.folder.take()
            && (std::thread::panicking() || wanted)
        {
            println!("kept for a look: {}", folder.keep().display());
        }
    }
}
