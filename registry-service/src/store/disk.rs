//! The system calls that touch files, one thin function each. The only file that makes them, so that each can be made
//! to fail by a test.
//!
//! Durable changes are put together from these in `files.rs`. Must not know what a file is for.

use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{self, Metadata, OpenOptions, ReadDir, TryLockError};
use std::io::{self, IoSlice, Write};
use std::path::Path;

pub use std::fs::File;

/// Opens for reading.
pub fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Opens for reading and writing what is there already.
pub fn open_to_write(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// Opens for reading and writing, and makes an empty file if there is none.
pub fn open_or_create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Makes an empty file, open for reading and writing; an error if something is there.
pub fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// All bytes of a file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path)
}

/// The entries of a directory, in no order.
pub fn read_dir(path: &Path) -> io::Result<ReadDir> {
    fs::read_dir(path)
}

/// What the file system says of `path`.
pub fn metadata(path: &Path) -> io::Result<Metadata> {
    fs::metadata(path)
}

/// Writes all of `bytes` where the file stands.
pub fn write_all(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}

/// Writes what the system takes of `slices` where the file stands; tells how many bytes that were.
pub fn write_vectored(mut file: &File, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    file.write_vectored(slices)
}

/// Cuts a file, or fills it up with zeros.
pub fn set_len(file: &File, length: u64) -> io::Result<()> {
    file.set_len(length)
}

/// Makes a file's bytes durable, and of what is noted about it only what reading them needs.
pub fn sync_data(file: &File) -> io::Result<()> {
    file.sync_data()
}

/// Makes a file's bytes durable, and what is noted about it.
pub fn sync_all(file: &File) -> io::Result<()> {
    file.sync_all()
}

/// Makes the entries of a directory durable.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Renames over whatever is there.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Renames, and never over something: `AlreadyExists` then.
pub fn rename_no_replace(from: &Path, to: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

/// Removes a file.
pub fn unlink(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// Makes one directory.
pub fn create_dir(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Removes a directory that is empty.
pub fn remove_dir(path: &Path) -> io::Result<()> {
    fs::remove_dir(path)
}

/// Takes the file's lock for sharing, without waiting. `false`: somebody has it exclusively.
pub fn try_lock_shared(file: &File) -> io::Result<bool> {
    taken(file.try_lock_shared())
}

/// Takes the file's lock exclusively, without waiting. `false`: somebody has it.
pub fn try_lock(file: &File) -> io::Result<bool> {
    taken(file.try_lock())
}

fn taken(result: Result<(), TryLockError>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
