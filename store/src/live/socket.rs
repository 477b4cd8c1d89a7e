//! Where the socket is. Its path may be too long for the system (about 100 bytes); then it stands in a directory for
//! such things, and a file in the store names it.

use std::fs;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Connect;
use crate::layout::{SOCKET, SOCKET_PATH};

/// What every system takes.
const MAX_PATH: usize = 100;

/// A listening socket; its files vanish with it.
#[derive(Debug)]
pub struct Bound {
    /// The socket.
    pub listener: UnixListener,
    /// Where it is.
    pub path: PathBuf,
    named_in: Option<PathBuf>,
}

/// Binds the socket of a store. The caller holds the store's lock, so a socket that is there is a dead process's.
///
/// # Errors
/// The system's.
pub fn bind(store: &Path) -> io::Result<Bound> {
    let near = std::path::absolute(store)?.join(SOCKET);
    let name = store.join(SOCKET_PATH);
    let fits = near.as_os_str().len() <= MAX_PATH;
    let path = if fits { near } else { far(store)? };
    for stale in [&path, &name] {
        if let Err(error) = fs::remove_file(stale)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    if !fits {
        fs::write(&name, path.as_os_str().as_bytes())?;
    }
    Ok(Bound { listener, path, named_in: (!fits).then_some(name) })
}

fn far(store: &Path) -> io::Result<PathBuf> {
    let store = fs::canonicalize(store)?;
    let hash = Sha256::digest(store.as_os_str().as_bytes());
    let name: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let dir = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_dir());
    Ok(dir.unwrap_or_else(std::env::temp_dir).join(format!("callbox-{name}.sock")))
}

/// Where the socket of a store is, while a process writes to it.
///
/// # Errors
/// The system's.
pub fn path(store: &Path) -> io::Result<PathBuf> {
    Ok(match fs::read(store.join(SOCKET_PATH)) {
        Ok(bytes) => PathBuf::from(std::ffi::OsStr::from_bytes(&bytes)),
        Err(_) => std::path::absolute(store)?.join(SOCKET),
    })
}

/// The way to the process that writes to the store in this directory.
#[derive(Debug, Clone)]
pub struct Beside(pub PathBuf);

impl Connect for Beside {
    /// `NotFound` or `ConnectionRefused` if nobody listens (yet).
    fn ask(&self, question: &[u8]) -> io::Result<Box<dyn Read + Send>> {
        let mut stream = UnixStream::connect(path(&self.0)?)?;
        stream.write_all(question)?;
        // There will be no other question, so the answer's end is the connection's.
        stream.shutdown(Shutdown::Write)?;
        Ok(Box::new(stream))
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        if let Some(name) = &self.named_in {
            let _ = fs::remove_file(name);
        }
    }
}
