//! Where the bytes of an export go: standard output, or a file that appears whole or not at all.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// An open destination. A file is written beside its place and put there by [`Destination::finish`]; dropped before
/// that, it leaves nothing.
pub struct Destination {
    out: BufWriter<Inner>,
}

enum Inner {
    Stdout(File),
    Beside { file: NamedTempFile, path: PathBuf, replace: bool },
}

impl Destination {
    /// Standard output. Refuses to write bytes to a terminal.
    pub fn stdout(binary: bool) -> Result<Self, Failure> {
        if binary && io::stdout().is_terminal() {
            let failure =
                Failure::new(ExitCode::Usage, "binary_to_terminal", "this format is no text for a terminal");
            return Err(failure.hint("give -o FILE, or send the output into a file or a program"));
        }
        // Not through std's own buffer, which ends at every line.
        let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Ok(Self { out: BufWriter::with_capacity(1 << 16, Inner::Stdout(stdout)) })
    }

    /// A file; one that exists is only replaced if `replace` says so.
    pub fn file(path: &Path, replace: bool) -> Result<Self, Failure> {
        if !replace && path.symlink_metadata().is_ok() {
            return Err(exists(path));
        }
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut beside = tempfile::Builder::new();
        // As any program would make it: the umask decides.
        beside.prefix(".callbox-export-").permissions(Permissions::from_mode(0o666));
        let file = beside.tempfile_in(dir).map_err(|error| not_written(path, &error))?;
        let inner = Inner::Beside { file, path: path.to_owned(), replace };
        Ok(Self { out: BufWriter::with_capacity(1 << 16, inner) })
    }

    /// Writes what is buffered; syncs a file and puts it in its place.
    pub fn finish(self) -> Result<(), Failure> {
        match self.out.into_inner().map_err(io::IntoInnerError::into_error)? {
            Inner::Stdout(mut stdout) => Ok(stdout.flush()?),
            Inner::Beside { file, path, replace } => {
                file.as_file().sync_all().map_err(|error| not_written(&path, &error))?;
                let put = if replace { file.persist(&path) } else { file.persist_noclobber(&path) };
                match put {
                    Ok(_) => Ok(()),
                    Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(exists(&path)),
                    Err(error) => Err(not_written(&path, &error.error)),
                }
            }
        }
    }
}

fn exists(path: &Path) -> Failure {
    Failure::new(ExitCode::Usage, "file_exists", format!("{} exists already", path.display()))
        .hint("name another file, or give --force to replace it")
}

fn not_written(path: &Path, error: &io::Error) -> Failure {
    Failure::new(ExitCode::Failure, "output", format!("{} could not be written: {error}", path.display()))
        .hint("check the directory, its permissions, and the room on the disk")
}

impl Write for Inner {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::Beside { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::Beside { file, .. } => file.flush(),
        }
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
