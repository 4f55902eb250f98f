//! The system calls that touch files, one thin function each. The only file that makes them, so that each change, and each
//! read of a blob's bytes, can be made to fail by a test.
//!
//! Durable changes are put together from these in `files.rs`. Must not know what a file is for.

use super::faults::{self, Change};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use std::fs::{self, OpenOptions, ReadDir, TryLockError};
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::SystemTime;

pub use std::fs::{File, Metadata};

/// Opens for reading.
pub fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Opens for reading and writing what is there already.
pub fn open_to_write(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// Makes an empty file, open for reading and writing; an error if something is there.
pub fn create_new(path: &Path) -> io::Result<File> {
    faults::change(&Change::Create(path), || OpenOptions::new().read(true).write(true).create_new(true).open(path))
}

/// All bytes of a file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    faults::before_read(&file)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads from `offset` on; tells how many bytes that were.
pub fn read_at(file: &File, space: &mut [u8], offset: u64) -> io::Result<usize> {
    faults::before_read(file)?;
    file.read_at(space, offset)
}

/// The same of what is in memory. `None`: the kernel would have to wait for the disk.
pub fn read_cached(file: &File, space: &mut [u8], offset: u64) -> io::Result<Option<usize>> {
    faults::before_read(file)?;
    match preadv2(file, &mut [IoSliceMut::new(space)], offset, ReadWriteFlags::NOWAIT) {
        Ok(length) => Ok(Some(length)),
        Err(Errno::AGAIN | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The entries of a directory, in no order.
pub fn read_dir(path: &Path) -> io::Result<ReadDir> {
    fs::read_dir(path)
}

/// What the file system says of `path`.
pub fn metadata(path: &Path) -> io::Result<Metadata> {
    fs::metadata(path)
}

/// Writes what the system takes of `slices` where the file stands; tells how many bytes that were.
pub fn write(mut file: &File, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    faults::write(file, slices, |slices| file.write_vectored(slices))
}

/// Cuts a file, or fills it up with zeros.
pub fn set_len(file: &File, length: u64) -> io::Result<()> {
    faults::change(&Change::SetLen(file, length), || file.set_len(length))
}

/// Makes a file's bytes durable, and of what is noted about it only what reading them needs.
pub fn sync_data(file: &File) -> io::Result<()> {
    faults::sync(&Change::Sync(file), || file.sync_data())
}

/// Makes a file's bytes durable, and what is noted about it.
pub fn sync_all(file: &File) -> io::Result<()> {
    faults::sync(&Change::Sync(file), || file.sync_all())
}

/// Makes the entries of a directory durable.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    faults::sync(&Change::SyncDir(path), || File::open(path)?.sync_all())
}

/// Renames over whatever is there.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    faults::change(&Change::Rename(from, to), || fs::rename(from, to))
}

/// Renames, and never over something: `AlreadyExists` then.
pub fn rename_no_replace(from: &Path, to: &Path) -> io::Result<()> {
    faults::change(&Change::Rename(from, to), || Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?))
}

/// Removes a file.
pub fn unlink(path: &Path) -> io::Result<()> {
    faults::change(&Change::Unlink(path), || fs::remove_file(path))
}

/// Says that a file was changed at `time`.
pub fn set_modified(path: &Path, time: SystemTime) -> io::Result<()> {
    faults::change(&Change::Touch(path), || File::open(path)?.set_modified(time))
}

/// Makes one directory.
pub fn create_dir(path: &Path) -> io::Result<()> {
    faults::change(&Change::CreateDir(path), || fs::create_dir(path))
}

/// Removes a directory that is empty.
pub fn remove_dir(path: &Path) -> io::Result<()> {
    faults::change(&Change::RemoveDir(path), || fs::remove_dir(path))
}

/// Takes the file's lock for sharing, without waiting. `false`: somebody has it exclusively.
pub fn try_lock_shared(file: &File) -> io::Result<bool> {
    faults::before_lock(file);
    taken(file.try_lock_shared())
}

/// Takes the file's lock exclusively, without waiting. `false`: somebody has it.
pub fn try_lock(file: &File) -> io::Result<bool> {
    faults::before_lock(file);
    taken(file.try_lock())
}

fn taken(result: Result<(), TryLockError>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
