//! Durable changes to single files: each is on disk when its function returns.
//!
//! Must not know what a file is for.

use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// What a rename found at its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// Nothing; the file is there now.
    New,
    /// Something; the file is where it was.
    Taken,
}

/// Makes `directory` and what is missing above it, durably.
pub fn create_dirs(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let parent = parent_of(directory)?;
    create_dirs(parent)?;
    match fs::create_dir(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_dir(parent),
    }
}

/// Makes the entries of `directory` durable.
pub fn sync_dir(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Makes a file that is there already durable, with its entry.
pub fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_data()?;
    sync_dir(parent_of(path)?)
}

/// The directory that holds `path`.
pub fn parent_of(path: &Path) -> io::Result<&Path> {
    path.parent().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a path without a parent"))
}

/// Writes `content` to `path` whole or not at all: readers see what was there, or all of it.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = parent_of(path)?;
    create_dirs(directory)?;
    let temporary = write_temporary(directory, content)?;
    fs::rename(&temporary, path).inspect_err(|_| discard(&temporary))?;
    sync_dir(directory)
}

/// The same, but never over something: tells whether the place was free.
pub fn create(path: &Path, content: &[u8]) -> io::Result<Placed> {
    let directory = parent_of(path)?;
    create_dirs(directory)?;
    let temporary = write_temporary(directory, content)?;
    let placed = rename_no_replace(&temporary, path).inspect_err(|_| discard(&temporary))?;
    if placed == Placed::Taken {
        discard(&temporary);
    }
    Ok(placed)
}

/// Renames a file whose bytes are durable already, never over something; durable in its new directory on return.
pub fn rename_no_replace(from: &Path, to: &Path) -> io::Result<Placed> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => {
            sync_dir(parent_of(to)?)?;
            Ok(Placed::New)
        }
        Err(rustix::io::Errno::EXIST) => Ok(Placed::Taken),
        Err(error) => Err(error.into()),
    }
}

/// Renames over whatever is there; durable on return.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_dir(parent_of(to)?)
}

/// Unlinks `path`, durably; tells whether it was there.
pub fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => sync_dir(parent_of(path)?).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Fails if no file can be made in `directory`.
pub fn probe_writable(directory: &Path) -> io::Result<()> {
    fs::remove_file(write_temporary(directory, b"probe")?)
}

fn write_temporary(directory: &Path, content: &[u8]) -> io::Result<PathBuf> {
    let path = directory.join(format!(".{}", Uuid::new_v4()));
    let write = || {
        let mut file = File::create_new(&path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().inspect_err(|_| discard(&path))?;
    Ok(path)
}

/// Best effort: what cannot be removed here is a dot file that nobody reads.
fn discard(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::debug!(%error, path = %path.display(), "temporary file left behind");
    }
}
