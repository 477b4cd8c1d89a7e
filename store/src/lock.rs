//! The lock of a store directory: one writer, or any number of readers that copy it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::layout::{FORMAT, LOCK};
use crate::open_error::OpenError;

/// How often a writer tries again while readers copy, and how long it waits each time: ten seconds in all.
const PATIENCE: (u32, Duration) = (500, Duration::from_millis(20));

/// The lock on a store, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    exclusive: bool,
}

impl Lock {
    /// Takes the store for writing. Waits a while for readers that copy, never for another writer.
    ///
    /// # Errors
    /// [`OpenError::Locked`] names the process that holds it.
    pub fn exclusive(store: &Path) -> Result<Self, OpenError> {
        let mut file = open(store)?;
        for _ in 0..PATIENCE.0 {
            match file.try_lock() {
                Ok(()) => {
                    let path = store.join(LOCK);
                    write_holder(&mut file, Some(std::process::id()))
                        .map_err(OpenError::io("writing", &path))?;
                    return Ok(Self { file, exclusive: true });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    return Err(OpenError::io("locking", &store.join(LOCK))(error));
                }
            }
            // A dead writer's number means that whoever holds the lock now is a reader: it will not be long.
            if let Some(pid) = holder(&mut file).filter(|pid| is_alive(*pid)) {
                return Err(OpenError::Locked { dir: store.to_owned(), pid: Some(pid) });
            }
            thread::sleep(PATIENCE.1);
        }
        Err(OpenError::Locked { dir: store.to_owned(), pid: holder(&mut file) })
    }

    /// Takes the store for copying, or `None` with the writer's number if there is a writer.
    ///
    /// # Errors
    /// [`OpenError::Io`].
    pub fn shared(store: &Path) -> Result<Result<Self, Option<u32>>, OpenError> {
        // A reader changes nothing: where no writer ever was, any other file serves.
        let path = store.join(LOCK);
        let file = File::open(&path).or_else(|_| File::open(store.join(FORMAT)));
        let mut file = file.map_err(OpenError::io("opening", &path))?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Ok(Self { file, exclusive: false })),
            Err(TryLockError::WouldBlock) => Ok(Err(holder(&mut file))),
            Err(TryLockError::Error(error)) => Err(OpenError::io("locking", &path)(error)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.exclusive {
            let _ = write_holder(&mut self.file, None);
        }
        let _ = self.file.unlock();
    }
}

fn open(store: &Path) -> Result<File, OpenError> {
    let path = store.join(LOCK);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(&path).map_err(OpenError::io("opening", &path))
}

fn write_holder(file: &mut File, pid: Option<u32>) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    match pid {
        Some(pid) => writeln!(file, "{pid}"),
        None => Ok(()),
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Whether the process may be running; where that can't be seen, it may.
fn is_alive(pid: u32) -> bool {
    let processes = Path::new("/proc");
    !processes.join("self").exists() || processes.join(pid.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_told_who_holds_the_store() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::exclusive(dir.path()).unwrap();
        let refused = Lock::exclusive(dir.path()).unwrap_err();
        assert!(refused.to_string().contains(&format!("process {}", std::process::id())), "{refused}");
        assert_eq!(Lock::shared(dir.path()).unwrap().err(), Some(Some(std::process::id())));
        drop(first);
        let reader = Lock::shared(dir.path()).unwrap().unwrap();
        let another = Lock::shared(dir.path()).unwrap().unwrap();
        drop((reader, another));
        Lock::exclusive(dir.path()).unwrap();
    }
}
