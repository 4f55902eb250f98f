//! Making directories, durably, while other processes make and remove them too.
//!
//! Must not know what a directory is for.

use super::disk;
use super::found;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

/// How often a write begins again because the directory that it made was removed, empty, before the file was in it.
const ATTEMPTS: usize = 10;

/// Directories that are remembered; about one megabyte.
const MOST_REMEMBERED: usize = 16 * 1024;

/// Directories that this process knows to be durable, with all above them. That one is there proves nothing: whoever
/// made it may not have come to its sync yet.
static DURABLE: LazyLock<Mutex<HashSet<Stamp>>> = LazyLock::new(Mutex::default);

/// One directory at one path. A number of an inode is used again when its directory has gone, so the time of birth is
/// part of it.
#[derive(PartialEq, Eq, Hash)]
struct Stamp {
    path: u64,
    device: u64,
    inode: u64,
    born: Option<SystemTime>,
}

impl Stamp {
    /// `None` if there is nothing at `path`; an error if it is not a directory.
    fn of(path: &Path) -> io::Result<Option<Self>> {
        let Some(there) = found(disk::metadata(path))? else { return Ok(None) };
        if !there.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        let born = there.created().ok();
        Ok(Some(Self { path: hasher.finish(), device: there.dev(), inode: there.ino(), born }))
    }

    fn is_durable(&self) -> bool {
        DURABLE.lock().unwrap_or_else(PoisonError::into_inner).contains(self)
    }

    fn remember(self) {
        let mut durable = DURABLE.lock().unwrap_or_else(PoisonError::into_inner);
        if durable.len() >= MOST_REMEMBERED {
            // What is needed again is synced once more, which costs little.
            durable.clear();
        }
        durable.insert(self);
    }
}

/// Makes `directory` and what is missing above it, durably.
pub fn create_dirs(directory: &Path) -> io::Result<()> {
    again_while_missing(|| try_create_dirs(directory))
}

/// Not found: something above was removed just now.
fn try_create_dirs(directory: &Path) -> io::Result<()> {
    let there = Stamp::of(directory)?;
    if there.as_ref().is_some_and(Stamp::is_durable) {
        return Ok(());
    }
    let Some(parent) = directory.parent() else { return Ok(()) };
    try_create_dirs(parent)?;
    // Looked at before the sync: what is remembered was there when it was made durable.
    let (stamp, is_new) = match there {
        Some(stamp) => (stamp, false),
        None => (make_dir(directory)?, true),
    };
    match disk::sync_dir(parent) {
        // One above the storage that was there before and may not be read: it is not ours to make durable.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && !is_new => {}
        synced => synced?,
    }
    stamp.remember();
    Ok(())
}

fn make_dir(directory: &Path) -> io::Result<Stamp> {
    match disk::create_dir(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Stamp::of(directory)?.ok_or_else(|| io::ErrorKind::NotFound.into()),
    }
}

/// Does `write` in `directory`, which is made if it is not there: again, if the collector removes it while it is empty.
pub fn in_directory<T>(directory: &Path, write: impl Fn() -> io::Result<T>) -> io::Result<T> {
    again_while_missing(|| {
        try_create_dirs(directory)?;
        write()
    })
}

fn again_while_missing<T>(attempt: impl Fn() -> io::Result<T>) -> io::Result<T> {
    for _ in 1..ATTEMPTS {
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => return done,
        }
    }
    attempt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::fs;

    #[test]
    fn a_directory_that_is_removed_while_it_is_empty_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("deep/er");
        let removals = Cell::new(0);
        let written = in_directory(&directory, || {
            if removals.get() < 3 {
                removals.set(removals.get() + 1);
                fs::remove_dir_all(folder.path().join("deep"))?;
            }
            disk::create_new(&directory.join("file"))
        });
        written.unwrap();
        assert!(directory.join("file").is_file());
    }

    #[test]
    fn what_is_missing_for_another_reason_is_said_to_be_missing() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("nothing"), folder.path().join("made/to"));
        let moved = in_directory(&folder.path().join("made"), || disk::rename(&from, &to));
        assert_eq!(moved.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn only_the_directory_that_was_synced_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("directory");
        create_dirs(&directory).unwrap();
        assert!(Stamp::of(&directory).unwrap().unwrap().is_durable());
        fs::rename(&directory, folder.path().join("moved")).unwrap();
        assert!(!Stamp::of(&folder.path().join("moved")).unwrap().unwrap().is_durable());
        fs::create_dir(&directory).unwrap();
        assert!(!Stamp::of(&directory).unwrap().unwrap().is_durable());
    }

    #[test]
    fn a_file_in_the_way_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(create_dirs(&folder.path().join("file/below")).is_err());
    }
}
