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
/// that, it leaves nothing. Standard output gets what was written before a failure, except where that is a header alone.
pub struct Destination {
    out: Option<BufWriter<Inner>>,
}

enum Inner {
    Stdout { stdout: File, begun: bool },
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
        Ok(Self::over(Inner::Stdout { stdout, begun: false }))
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
        Ok(Self::over(Inner::Beside { file, path: path.to_owned(), replace }))
    }

    fn over(inner: Inner) -> Self {
        Self { out: Some(BufWriter::with_capacity(1 << 16, inner)) }
    }

    fn open(&mut self) -> io::Result<&mut BufWriter<Inner>> {
        self.out.as_mut().ok_or_else(|| io::Error::other("written to after its end"))
    }

    /// Writes what is buffered; syncs a file and puts it in its place.
    pub fn finish(mut self) -> Result<(), Failure> {
        let Some(out) = self.out.take() else { return Ok(()) };
        match out.into_inner().map_err(io::IntoInnerError::into_error)? {
            Inner::Stdout { mut stdout, .. } => Ok(stdout.flush()?),
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
            Self::Stdout { stdout, begun } => {
                *begun = true;
                stdout.write(bytes)
            }
            Self::Beside { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout { stdout, .. } => stdout.flush(),
            Self::Beside { file, .. } => file.flush(),
        }
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open()?.write(bytes)
    }

    /// Nothing: writers of formats flush when they are dropped, also in the midst of a failure. See
    /// [`Destination::finish`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        if let Some(out) = self.out.take()
            && matches!(out.get_ref(), Inner::Stdout { begun: false, .. } | Inner::Beside { .. })
        {
            // Taken apart, a buffer is thrown away instead of written.
            let _ = out.into_parts();
        }
    }
}
