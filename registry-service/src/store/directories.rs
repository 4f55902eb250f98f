//! Making directories, durably, while other processes make and remove them too.
//!
//! Must not know what a directory is for.

use super::disk;
use super::durable::Entry;
use super::found;
use std::io;
use std::path::Path;

/// How often a write begins again because the directory that it made was removed, empty, before the file was in it.
const ATTEMPTS: usize = 10;

/// `None` if there is nothing at `path`; an error if it is not a directory.
fn entry_at(path: &Path) -> io::Result<Option<Entry>> {
    let Some(there) = found(disk::metadata(path))? else { return Ok(None) };
    if there.is_dir() { Ok(Some(Entry::new(path, &there))) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// Makes `directory` and what is missing above it, durably.
pub fn create_dirs(directory: &Path) -> io::Result<()> {
    again_while_missing(|| try_create_dirs(directory))
}

/// Not found: something above was removed just now.
fn try_create_dirs(directory: &Path) -> io::Result<()> {
    let there = entry_at(directory)?;
    if there.as_ref().is_some_and(Entry::is_durable) {
        return Ok(());
    }
    let Some(parent) = directory.parent() else { return Ok(()) };
    try_create_dirs(parent)?;
    // Looked at before the sync: what is remembered was there when it was made durable.
    let (entry, is_new) = match there {
        Some(entry) => (entry, false),
        None => (make_dir(directory)?, true),
    };
    match disk::sync_dir(parent) {
        // One above the storage that was there before and may not be read: it is not ours to make durable.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && !is_new => {}
        synced => synced?,
    }
    entry.remember();
    Ok(())
}

fn make_dir(directory: &Path) -> io::Result<Entry> {
    match disk::create_dir(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => entry_at(directory)?.ok_or_else(|| io::ErrorKind::NotFound.into()),
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
        assert!(entry_at(&directory).unwrap().unwrap().is_durable());
        fs::rename(&directory, folder.path().join("moved")).unwrap();
        assert!(!entry_at(&folder.path().join("moved")).unwrap().unwrap().is_durable());
        fs::create_dir(&directory).unwrap();
        assert!(!entry_at(&directory).unwrap().unwrap().is_durable());
    }

    #[test]
    fn a_file_in_the_way_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(create_dirs(&folder.path().join("file/below")).is_err());
    }
}
