//! The first read after a write: a blob written lately is hashed while it is sent for the first time, and one that is
//! not what its name says never becomes a whole answer.
//!
//! What a disk or a crash has done to the bytes shows here at the latest. Later reads cost nothing: which files were found
//! good is remembered, as long as they do not change and this process lives. Of many first reads at once, as when a whole
//! cluster pulls what was just pushed, one hashes what it sends; the others hold back their last bytes until one more
//! hash has been made for all of them, because the first may be slow or never come to its end.

use super::Storage;
use super::cached_read::Stamp;
use super::disk::{File, Metadata};
use super::hashing::{Hasher, hash_file};
use super::quarantine::Vetted;
use super::queues::{Mode, Queue};
use quick_cache::sync::Cache;
use shared::Digest;
use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long after its last change a file counts as written lately.
const LATELY: Duration = Duration::from_hours(24);

/// Files found good that are remembered.
const REMEMBERED: usize = 20_000;

/// A file as it is now, and the digest of what it should hold.
type Claim = (Digest, Stamp);

/// Files whose bytes were found to be what their digest says.
pub(super) struct GoodFiles {
    good: Cache<Claim, ()>,
    /// Those that are hashed while somebody reads them.
    in_passing: Mutex<HashSet<Claim>>,
}

impl GoodFiles {
    pub fn new() -> Self {
        Self { good: Cache::new(REMEMBERED), in_passing: Mutex::default() }
    }

    fn in_passing(&self) -> MutexGuard<'_, HashSet<Claim>> {
        // No code panics while it holds this lock; a poisoned one is as good as any.
        self.in_passing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The check of one read from beginning to end.
pub(super) enum Check {
    /// While it is read.
    InPassing(Box<InPassing>),
    /// Before the last of it is given out.
    AtTheEnd(AtTheEnd),
}

/// A check for which every byte that is read is hashed.
pub(super) struct InPassing {
    unproven: Unproven,
    hasher: Hasher,
}

/// A check that is made once for all whose reads wait for it.
#[derive(Clone)]
pub(super) struct AtTheEnd(Unproven);

/// A file that nobody has found good yet.
#[derive(Clone)]
struct Unproven {
    storage: Storage,
    claim: Claim,
}

impl InPassing {
    /// Takes in the next bytes.
    pub fn see(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// An error if what was seen is not the blob.
    pub fn judge(&self) -> io::Result<()> {
        self.unproven.judge(&self.hasher.clone().finish())
    }
}

impl Drop for InPassing {
    fn drop(&mut self) {
        self.unproven.storage.inner.good_files.in_passing().remove(&self.unproven.claim);
    }
}

impl AtTheEnd {
    /// An error if the `size` bytes of `file` are not the blob. Whoever comes first looks, the others hear of it.
    pub async fn judge(self, file: Arc<File>, size: u64) -> io::Result<()> {
        let Unproven { storage, claim } = &self.0;
        let _turn = storage.queues().turn(Queue::Check(claim.0.clone()), Mode::Exclusive).await;
        if storage.inner.good_files.good.contains_key(claim) {
            return Ok(());
        }
        let unproven = self.0.clone();
        let judge = move |_: &Storage| unproven.judge(&hash_file(unproven.claim.0.algorithm(), &file, size)?.finish());
        storage.run(judge).await
    }
}

impl Unproven {
    /// An error if the file, whose digest was found to be `found`, is not the blob; then it is put away, so that the next
    /// push brings a good one.
    fn judge(&self, found: &Digest) -> io::Result<()> {
        let (digest, stamp) = &self.claim;
        if found == digest {
            self.storage.inner.good_files.good.insert(self.claim.clone(), ());
            return Ok(());
        }
        let path = self.storage.layout().blob(digest);
        let damaged = Vetted { path, stamp: *stamp, is_good: false };
        drop(self.storage.start(move |storage| storage.quarantine(&damaged)));
        Err(io::Error::new(io::ErrorKind::InvalidData, format!("the bytes of {digest} are damaged")))
    }
}

impl Storage {
    /// The check that a whole read of this file needs; `None` if it needs none.
    pub(super) fn check_of(&self, digest: &Digest, file: &Metadata) -> io::Result<Option<Check>> {
        // A time that is yet to come is none to rely on.
        let is_old = file.modified()?.elapsed().is_ok_and(|age| age > LATELY);
        let claim = (digest.clone(), Stamp::of_open(file));
        let files = &self.inner.good_files;
        if is_old || files.good.contains_key(&claim) {
            return Ok(None);
        }
        let is_first = files.in_passing().insert(claim.clone());
        let unproven = Unproven { storage: self.clone(), claim };
        Ok(Some(if is_first {
            Check::InPassing(Box::new(InPassing { unproven, hasher: Hasher::new(digest.algorithm()) }))
        } else {
            Check::AtTheEnd(AtTheEnd(unproven))
        }))
    }

    /// Reads the blob in its place from beginning to end, and puts it away if it is not what its name says. `false`: it
    /// was not.
    pub fn check_blob(&self, digest: &Digest) -> io::Result<bool> {
        let Some(vetted) = self.vet_blob(digest)?.filter(|vetted| !vetted.is_good) else { return Ok(true) };
        self.quarantine(&vetted).map(|_| false)
    }
}
