//! A disk of a few megabytes that can be filled: a tmpfs of its own, where mounting is allowed.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted file system that is gone when this is dropped.
#[derive(Debug)]
pub struct SmallDisk {
    dir: tempfile::TempDir,
    filler: PathBuf,
}

impl SmallDisk {
    /// Mounts one with room for so many bytes.
    ///
    /// # Errors
    /// Why that is not possible here: it takes root, and a kernel that lets root mount.
    pub fn mount(bytes: u64) -> Result<Self, String> {
        let dir = tempfile::Builder::new().prefix("callbox-disk-").tempdir().map_err(|e| e.to_string())?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "callbox-test"]).arg(dir.path());
        let output = mount.output().map_err(|error| format!("mount can't be run: {error}"))?;
        if !output.status.success() {
            return Err(format!("mount: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        let filler = dir.path().join("filler");
        Ok(Self { dir, filler })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(&self.filler).unwrap();
        // First in large pieces, then in ever smaller ones.
        for power in (0..=16).rev() {
            let piece = vec![0xFF; 1 << power];
            while file.write_all(&piece).is_ok() {}
        }
    }

    /// Makes room again.
    pub fn make_room(&self) {
        std::fs::remove_file(&self.filler).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: somebody may still have a file open, and the test is over anyway.
        let _ = Command::new("umount").arg("-l").arg(self.dir.path()).output();
    }
}
