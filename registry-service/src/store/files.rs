//! Durable changes to single files: each is on disk when its function returns.
//!
//! Must not know what a file is for.

use super::directories::in_directory;
use super::disk::{self, File, Metadata};
use super::durable::{Entry, was_written_back};
use super::found;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use uuid::Uuid;

/// What a rename found at its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// Nothing; the file is there now.
    New,
    /// Something; the file is where it was.
    Taken,
}

/// Makes sure that what is at `path` now lasts, a file or that there is none, whoever made it so.
pub fn make_durable(path: &Path) -> io::Result<()> {
    if rely_on(path)? {
        return Ok(());
    }
    // What went, with directories of its own perhaps, went from the nearest one that is still there.
    let mut directory = parent_of(path)?;
    while found(sync_dir(directory))?.is_none() {
        directory = parent_of(directory)?;
    }
    Ok(())
}

/// Makes the entries of `directory` durable.
pub fn sync_dir(directory: &Path) -> io::Result<()> {
    disk::sync_dir(directory)
}

/// Makes a file that is there already durable, with its entry.
pub fn sync(path: &Path) -> io::Result<()> {
    let file = disk::open(path)?;
    let entry = Entry::new(path, &file.metadata()?);
    disk::sync_data(&file)?;
    sync_dir(parent_of(path)?)?;
    entry.remember();
    Ok(())
}

/// The directory that holds `path`.
pub fn parent_of(path: &Path) -> io::Result<&Path> {
    path.parent().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a path without a parent"))
}

/// Writes `content` to `path` whole or not at all: readers see what was there, or all of it.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = parent_of(path)?;
    let temporary = in_directory(directory, || write_temporary(directory, content))?;
    put_over(&temporary, path)?;
    sync_entry(path)
}

/// The same in a directory that must be there: not found, if it has gone.
pub fn replace_there(path: &Path, content: &[u8]) -> io::Result<()> {
    put_over(&write_temporary(parent_of(path)?, content)?, path)?;
    sync_dir(parent_of(path)?)
}

fn put_over(temporary: &Path, path: &Path) -> io::Result<()> {
    disk::rename(temporary, path).inspect_err(|_| discard(temporary))
}

/// Makes the entry of a file durable whose bytes are.
fn sync_entry(path: &Path) -> io::Result<()> {
    // Gone again already: that is for whoever took it away.
    let there = file_at(path)?;
    sync_dir(parent_of(path)?)?;
    if let Some(there) = there {
        Entry::new(path, &there).remember();
    }
    Ok(())
}

/// `None` if there is no file at `path`.
fn file_at(path: &Path) -> io::Result<Option<Metadata>> {
    Ok(found(disk::metadata(path))?.filter(Metadata::is_file))
}

/// Makes sure that what lies at `path` lasts, before somebody is told something that relies on it: whoever wrote it may
/// have been stopped before it was durable, or may have told its client that it failed. `false`: there is no file.
pub fn rely_on(path: &Path) -> io::Result<bool> {
    let Some(there) = file_at(path)? else { return Ok(false) };
    if was_written_back(&there) || Entry::new(path, &there).is_durable() {
        return Ok(true);
    }
    Ok(found(in_directory(parent_of(path)?, || sync(path)))?.is_some())
}

/// The same, but never over something: tells whether the place was free.
pub fn create(path: &Path, content: &[u8]) -> io::Result<Placed> {
    let directory = parent_of(path)?;
    let temporary = in_directory(directory, || write_temporary(directory, content))?;
    let placed = rename_no_replace(&temporary, path).inspect_err(|_| discard(&temporary))?;
    if placed == Placed::Taken {
        discard(&temporary);
    }
    Ok(placed)
}

/// Renames a file whose bytes are durable already, never over something; durable in its new directory on return.
pub fn rename_no_replace(from: &Path, to: &Path) -> io::Result<Placed> {
    let placed = rename_no_replace_unsynced(from, to)?;
    if placed == Placed::New {
        sync_entry(to)?;
    }
    Ok(placed)
}

/// The same, without waiting for the disk: for renames that a crash may undo.
pub fn rename_no_replace_unsynced(from: &Path, to: &Path) -> io::Result<Placed> {
    match disk::rename_no_replace(from, to) {
        Ok(()) => Ok(Placed::New),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Placed::Taken),
        Err(error) => Err(error),
    }
}

/// Makes the file at `path` as young as if it had just been written.
pub fn touch(path: &Path) -> io::Result<()> {
    disk::set_modified(path, SystemTime::now())
}

/// Renames over whatever is there; durable on return.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    disk::rename(from, to)?;
    sync_dir(parent_of(to)?)
}

/// Unlinks `path`, durably; tells whether it was there.
pub fn remove(path: &Path) -> io::Result<bool> {
    match found(disk::unlink(path))? {
        Some(()) => sync_dir(parent_of(path)?).map(|()| true),
        None => Ok(false),
    }
}

/// Removes a directory with everything in it, as far as it is there. Not synced: nothing relies on its being gone.
pub fn remove_tree(directory: &Path) -> io::Result<()> {
    let Some(entries) = found(disk::read_dir(directory))? else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        } else {
            found(disk::unlink(&entry.path()))?;
        }
    }
    found(disk::remove_dir(directory)).map(drop)
}

/// Opens for reading and writing; makes an empty file if there is none.
pub fn open_or_create(path: &Path) -> io::Result<File> {
    if let Some(file) = found(disk::open_to_write(path))? {
        return Ok(file);
    }
    match disk::create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => disk::open_to_write(path),
        made => made,
    }
}

/// Writes all of `slices` where the file stands.
pub fn write_all(file: &File, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    // Nothing is left of empty slices.
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match disk::write(file, slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether there is a file at `path`.
pub fn is_file(path: &Path) -> io::Result<bool> {
    Ok(file_at(path)?.is_some())
}

/// Whether there is anything at `path`.
pub fn exists(path: &Path) -> io::Result<bool> {
    Ok(found(disk::metadata(path))?.is_some())
}

/// Fails if no file can be made in `directory`.
pub fn probe_writable(directory: &Path) -> io::Result<()> {
    disk::unlink(&write_temporary(directory, b"probe")?)
}

fn write_temporary(directory: &Path, content: &[u8]) -> io::Result<PathBuf> {
    let path = directory.join(format!(".{}", Uuid::new_v4()));
    let file = disk::create_new(&path)?;
    let write = || {
        write_all(&file, &mut [IoSlice::new(content)])?;
        disk::sync_all(&file)
    };
    write().inspect_err(|_| discard(&path))?;
    Ok(path)
}

/// Best effort: what cannot be removed here is a dot file that nobody reads.
fn discard(path: &Path) {
    if let Err(error) = disk::unlink(path) {
        tracing::debug!(%error, path = %path.display(), "temporary file left behind");
    }
}
