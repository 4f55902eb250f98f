//! The first read after a write: a blob written lately is hashed while it is sent for the first time, and one that is
//! not what its name says never becomes a whole answer.
//!
//! What a disk or a crash has done to the bytes shows here at the latest. Later reads cost nothing: which files were found
//! good is remembered, as long as they do not change and this process lives.

use super::Storage;
use super::cached_read::Stamp;
use super::disk::Metadata;
use super::hashing::Hasher;
use super::quarantine::Vetted;
use quick_cache::sync::Cache;
use shared::Digest;
use std::io;
use std::time::Duration;

/// How long after its last change a file counts as written lately.
const LATELY: Duration = Duration::from_hours(24);

/// Files found good that are remembered.
const REMEMBERED: usize = 20_000;

/// Files whose bytes were found to be what their digest says.
pub(super) struct GoodFiles(Cache<(Digest, Stamp), ()>);

impl GoodFiles {
    pub fn new() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

/// The check of one read from beginning to end.
pub(super) struct Check {
    storage: Storage,
    digest: Digest,
    stamp: Stamp,
    hasher: Hasher,
}

impl Check {
    /// Takes in the next bytes.
    pub fn see(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// An error if what was seen is not the blob; then it is put away, so that the next push brings a good one.
    pub fn judge(&self) -> io::Result<()> {
        if self.hasher.clone().finish() == self.digest {
            self.storage.inner.good_files.0.insert((self.digest.clone(), self.stamp), ());
            return Ok(());
        }
        let path = self.storage.layout().blob(&self.digest);
        let damaged = Vetted { path, stamp: self.stamp, is_good: false };
        drop(self.storage.start(move |storage| storage.quarantine(&damaged)));
        Err(io::Error::new(io::ErrorKind::InvalidData, format!("the bytes of {} are damaged", self.digest)))
    }
}

impl Storage {
    /// The check that a whole read of this file needs; `None` if it needs none.
    pub(super) fn check_of(&self, digest: &Digest, file: &Metadata) -> io::Result<Option<Box<Check>>> {
        // A time that is yet to come is none to rely on.
        let is_old = file.modified()?.elapsed().is_ok_and(|age| age > LATELY);
        let stamp = Stamp::of_open(file);
        if is_old || self.inner.good_files.0.contains_key(&(digest.clone(), stamp)) {
            return Ok(None);
        }
        let hasher = Hasher::new(digest.algorithm());
        Ok(Some(Box::new(Check { storage: self.clone(), digest: digest.clone(), stamp, hasher })))
    }

    /// Reads the blob in its place from beginning to end, and puts it away if it is not what its name says. `false`: it
    /// was not.
    pub fn check_blob(&self, digest: &Digest) -> io::Result<bool> {
        let Some(vetted) = self.vet_blob(digest)?.filter(|vetted| !vetted.is_good) else { return Ok(true) };
        self.quarantine(&vetted).map(|_| false)
    }
}
