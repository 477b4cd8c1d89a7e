//! Where things lie: the workspace, the folder of shared test data beside it, the built binaries.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the tests crate lies in the workspace").to_path_buf()
}

/// A folder of test data that is not part of the repository: `$CALLBOX_SHARED/<name>`, or `../shared/<name>` beside
/// the workspace. `None` where it is absent; the caller says so with [`crate::peers::skip`].
#[must_use]
pub fn shared(name: &str) -> Option<PathBuf> {
    let base = std::env::var_os("CALLBOX_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    Some(base.join(name)).filter(|path| path.is_dir())
}

/// The path of `callboxd` or `callbox`.
///
/// `CALLBOX_BIN_DIR` names a folder of ready binaries (`tests/run` sets it to the release build). Without it the
/// binaries of the profile under test are brought up to date first, so that no test ever runs a stale one.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| match std::env::var_os("CALLBOX_BIN_DIR") {
        Some(folder) => root().join(folder),
        None => build(),
    });
    let path = folder.join(name);
    assert!(path.is_file(), "no binary at {}", path.display());
    path
}

/// Builds both binaries with the profile of the running test; returns the folder they are in.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    // .../target/<profile>/deps/<test>, or .../target/<profile>/<program>
    let folder = test.parent().expect("tests run from the target folder");
    let folder =
        if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder }.to_path_buf();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["build", "--quiet", "-p", "callboxd", "-p", "callbox-replay"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let built = cargo.status().expect("cargo runs");
    assert!(built.success(), "the binaries do not build");
    folder
}
