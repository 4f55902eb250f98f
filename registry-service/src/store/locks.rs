//! Locks between processes: flocks, which die with their process, so that no age is ever judged.
//!
//! A lock belongs to the open file. Whoever writes under it on the blocking pool owns a clone of it, so that it lives
//! as long as the write it guards, whatever becomes of the request. Locks are tried, never waited for on a thread: who
//! waits does so in a queue (`queues.rs`), and keeps its turn with the lock.

use super::directories;
use super::disk::{self, File};
use super::queues::{Mode, Queued, Turn};
use super::{Storage, files};
use shared::RepositoryName;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// A held lock; the last clone that goes releases it.
#[derive(Clone, Debug)]
pub struct Lock {
    file: Arc<File>,
    /// After the file: nobody's turn comes before the lock is free.
    turn: Option<Turn>,
}

/// A held lock of a repository.
///
/// Held shared for every write; exclusively to delete, so that a delete sees no half-made manifest.
#[derive(Clone, Debug)]
pub struct RepositoryLock {
    lock: Lock,
}

impl Queued for Lock {
    fn keep(&mut self, turn: Turn) {
        self.turn = Some(turn);
    }
}

impl Queued for RepositoryLock {
    fn keep(&mut self, turn: Turn) {
        self.lock.keep(turn);
    }
}

impl Lock {
    /// Tries to take the file at `path` exclusively, making it if it is not there. `None`: somebody has it.
    pub(super) fn try_exclusive(path: &Path) -> io::Result<Option<Self>> {
        Self::try_take(path, Mode::Exclusive, true)
    }

    /// The same for a file that must be there already.
    pub(super) fn try_exclusive_existing(path: &Path) -> io::Result<Option<Self>> {
        Self::try_take(path, Mode::Exclusive, false)
    }

    /// The open file: its content is changed only by who holds the lock.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    fn try_take(path: &Path, mode: Mode, create: bool) -> io::Result<Option<Self>> {
        loop {
            let open = || if create { files::open_or_create(path) } else { disk::open_to_write(path) };
            let file = if create { directories::in_directory(files::parent_of(path)?, open)? } else { open()? };
            let taken = match mode {
                Mode::Shared => disk::try_lock_shared(&file)?,
                Mode::Exclusive => disk::try_lock(&file)?,
            };
            if !taken {
                return Ok(None);
            }
            // Between open and lock the holder before us may have unlinked the file: then ours locks nothing.
            match disk::metadata(path) {
                Ok(there)
                    if (there.ino(), there.dev()) == {
                        let ours = file.metadata()?;
                        (ours.ino(), ours.dev())
                    } =>
                {
                    return Ok(Some(Self { file: Arc::new(file), turn: None }));
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound && create => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Storage {
    /// Tries to share the repository's lock. Every sharer passes the gate, which whoever waits for the exclusive lock
    /// holds: flock alone would let sharers starve it.
    pub fn try_share(&self, name: &RepositoryName) -> io::Result<Option<RepositoryLock>> {
        let Some(_passing) = Lock::try_take(&self.layout().repository_gate(name), Mode::Shared, true)? else {
            return Ok(None);
        };
        let lock = Lock::try_take(&self.layout().repository_lock(name), Mode::Shared, true)?;
        Ok(lock.map(|lock| RepositoryLock { lock }))
    }

    /// Tries to take the gate before the repository's exclusive lock; while it is held, no new sharer comes in.
    pub fn try_gate(&self, name: &RepositoryName) -> io::Result<Option<Lock>> {
        Lock::try_take(&self.layout().repository_gate(name), Mode::Exclusive, true)
    }

    /// Tries to take the repository's lock exclusively. The caller holds the gate.
    pub fn try_exclude(&self, name: &RepositoryName, _gate: &Lock) -> io::Result<Option<RepositoryLock>> {
        let lock = Lock::try_take(&self.layout().repository_lock(name), Mode::Exclusive, true)?;
        Ok(lock.map(|lock| RepositoryLock { lock }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_taken_twice_is_refused_and_free_again_when_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/lock");
        let first = Lock::try_exclusive(&path).unwrap().unwrap();
        assert!(Lock::try_exclusive(&path).unwrap().is_none());
        let clone = first.clone();
        drop(first);
        assert!(Lock::try_exclusive(&path).unwrap().is_none(), "a clone keeps it");
        drop(clone);
        assert!(Lock::try_exclusive(&path).unwrap().is_some());
    }

    #[test]
    fn who_waits_for_the_exclusive_lock_keeps_new_sharers_out() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(folder.path()).unwrap();
        let name = RepositoryName::parse("acme/app").unwrap();
        let sharer = storage.try_share(&name).unwrap().unwrap();
        assert!(storage.try_share(&name).unwrap().is_some(), "sharers share");
        let gate = storage.try_gate(&name).unwrap().unwrap();
        assert!(storage.try_exclude(&name, &gate).unwrap().is_none(), "a sharer is still there");
        assert!(storage.try_share(&name).unwrap().is_none(), "and no new one comes in");
        drop(sharer);
        assert!(storage.try_exclude(&name, &gate).unwrap().is_some());
    }
}
