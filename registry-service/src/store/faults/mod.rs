//! Fail points: every change of a file, reads, and named places between two steps of a verb, where a test can stop whoever
//! comes, make the call fail, or end the process.
//!
//! Compiled in by the feature `failpoints`, which only tests switch on. Without it nothing here does anything.

#[cfg(feature = "failpoints")]
mod journal;
#[cfg(feature = "failpoints")]
mod rule;
#[cfg(feature = "failpoints")]
mod rules;

#[cfg(feature = "failpoints")]
pub use journal::{Journal, Loss, journal};
#[cfg(feature = "failpoints")]
pub use rules::{Armed, arm};

use super::Storage;
use super::disk::File;
use std::io::{self, IoSlice};
use std::path::Path;

/// A change that is about to be made.
#[cfg_attr(not(feature = "failpoints"), expect(dead_code, reason = "only fail points look at it"))]
pub(super) enum Change<'a> {
    Create(&'a Path),
    SetLen(&'a File, u64),
    Sync(&'a File),
    SyncDir(&'a Path),
    Rename(&'a Path, &'a Path),
    Unlink(&'a Path),
    Touch(&'a Path),
    CreateDir(&'a Path),
    RemoveDir(&'a Path),
}

/// Makes a change.
#[cfg(not(feature = "failpoints"))]
pub(super) fn change<T>(_: &Change<'_>, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    make()
}

/// Makes a change, unless a test wants it to fail.
#[cfg(feature = "failpoints")]
pub(super) fn change<T>(change: &Change<'_>, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    rules::meet(&rule::Point::of(change))?;
    journal::noting(change, make)
}

/// Makes something durable.
#[cfg(not(feature = "failpoints"))]
pub(super) fn sync(_: &Change<'_>, make: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    make()
}

/// Makes something durable, unless a test wants that to fail or to be forgotten.
#[cfg(feature = "failpoints")]
pub(super) fn sync(change: &Change<'_>, make: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    match rules::meet(&rule::Point::of(change))? {
        rules::Go::Skip => Ok(()),
        _ => journal::noting(change, make),
    }
}

/// Writes; tells how many bytes were taken.
#[cfg(not(feature = "failpoints"))]
pub(super) fn write(
    _: &File,
    slices: &[IoSlice<'_>],
    write: impl FnOnce(&[IoSlice<'_>]) -> io::Result<usize>,
) -> io::Result<usize> {
    write(slices)
}

/// Writes, unless a test wants it to fail, or to take only the half of it; tells how many bytes were taken.
#[cfg(feature = "failpoints")]
pub(super) fn write(
    file: &File,
    slices: &[IoSlice<'_>],
    write: impl FnOnce(&[IoSlice<'_>]) -> io::Result<usize>,
) -> io::Result<usize> {
    let half = match rules::meet(&rule::Point::write(file))? {
        rules::Go::Half => slices.iter().find_map(|slice| slice.get(..slice.len() / 2).filter(|half| !half.is_empty())),
        _ => None,
    };
    match half {
        Some(half) => journal::noting_write(file, &[IoSlice::new(half)], write),
        None => journal::noting_write(file, slices, write),
    }
}

/// Between opening a lock's file and taking the lock.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(super) fn before_lock(_: &File) {}

/// Between opening a lock's file and taking the lock: where a test can stop whoever comes.
#[cfg(feature = "failpoints")]
pub(super) fn before_lock(file: &File) {
    // Taking it fails only where it is held.
    let _ = rules::meet(&rule::Point::lock(file));
}

/// Before bytes of a file are read.
#[cfg(not(feature = "failpoints"))]
#[expect(clippy::unnecessary_wraps, reason = "it fails where there are fail points")]
#[inline]
pub(super) fn before_read(_: &File) -> io::Result<()> {
    Ok(())
}

/// Before bytes of a file are read: where a test can make that fail.
#[cfg(feature = "failpoints")]
pub(super) fn before_read(file: &File) -> io::Result<()> {
    rules::meet(&rule::Point::read(file)).map(drop)
}

impl Storage {
    /// A place between two steps, on a thread that may wait: where a test can stop whoever comes.
    #[cfg(not(feature = "failpoints"))]
    #[inline]
    pub fn pause(&self, _place: &'static str) {}

    /// A place between two steps, on a thread that may wait: where a test can stop whoever comes.
    #[cfg(feature = "failpoints")]
    pub fn pause(&self, place: &'static str) {
        // A place cannot fail.
        let _ = rules::meet(&rule::Point::place(self.layout().base(), place));
    }

    /// The same, in a task.
    #[cfg(not(feature = "failpoints"))]
    #[expect(clippy::unused_async, reason = "it waits where there are fail points")]
    #[inline]
    pub async fn pause_task(&self, _place: &'static str) {}

    /// The same, in a task.
    #[cfg(feature = "failpoints")]
    pub async fn pause_task(&self, place: &'static str) {
        let storage = self.clone();
        let _ = tokio::task::spawn_blocking(move || storage.pause(place)).await;
    }
}
