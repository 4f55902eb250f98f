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

/// Files found good or damaged that are remembered.
const REMEMBERED: usize = 20_000;

/// A file as it is now, and the digest of what it should hold.
type Claim = (Digest, Stamp);

/// What was found of files that were hashed.
pub(super) struct Verdicts {
    /// Whether their bytes are what their digest says.
    found: Cache<Claim, bool>,
    /// Those that are hashed while somebody reads them.
    in_passing: Mutex<HashSet<Claim>>,
}

impl Verdicts {
    pub fn new() -> Self {
        Self { found: Cache::new(REMEMBERED), in_passing: Mutex::default() }
    }

    fn in_passing(&self) -> MutexGuard<'_, HashSet<Claim>> {
        // No code panics while it holds this lock; a poisoned one is as good as any.
        self.in_passing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file that nobody has found good yet.
#[derive(Clone)]
pub(super) struct Unproven {
    storage: Storage,
    claim: Claim,
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
        self.unproven.storage.inner.verdicts.in_passing().remove(&self.unproven.claim);
    }
}

impl AtTheEnd {
    /// An error if the `size` bytes of `file` are not the blob. Whoever comes first looks, the others hear of it.
    pub async fn judge(self, file: Arc<File>, size: u64) -> io::Result<()> {
        let Self(unproven) = self;
        let (storage, queue) = (unproven.storage.clone(), Queue::Check(unproven.claim.0.clone()));
        let turn = storage.queues().turn(queue, Mode::Exclusive).await;
        let turn = turn.ok_or(io::ErrorKind::ResourceBusy)?;
        let look = move |storage: &Storage| {
            // Kept by who hashes, not by who waits for it: whoever has gone leaves no second one to begin beside it.
            let _turn = turn;
            match storage.inner.verdicts.found.get(&unproven.claim) {
                Some(true) => Ok(()),
                Some(false) => Err(unproven.damaged()),
                None => {
                    storage.pause("blob hashed for all");
                    unproven.judge(&hash_file(unproven.claim.0.algorithm(), &file, size)?.finish())
                }
            }
        };
        storage.run(look).await
    }
}

impl Unproven {
    /// The check of a whole read that begins now.
    pub fn check(self) -> Check {
        if self.storage.inner.verdicts.in_passing().insert(self.claim.clone()) {
            let hasher = Hasher::new(self.claim.0.algorithm());
            Check::InPassing(Box::new(InPassing { unproven: self, hasher }))
        } else {
            Check::AtTheEnd(AtTheEnd(self))
        }
    }

    /// An error if the file, whose digest was found to be `found`, is not the blob; then it is put away, so that the next
    /// push brings a good one.
    fn judge(&self, found: &Digest) -> io::Result<()> {
        let (digest, stamp) = &self.claim;
        let is_good = found == digest;
        self.storage.inner.verdicts.found.insert(self.claim.clone(), is_good);
        if is_good {
            return Ok(());
        }
        let path = self.storage.layout().blob(digest);
        let damaged = Vetted { path, stamp: *stamp, is_good };
        drop(self.storage.start(move |storage| storage.quarantine(&damaged)));
        Err(self.damaged())
    }

    fn damaged(&self) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("the bytes of {} are damaged", self.claim.0))
    }
}

impl Storage {
    /// What a whole read of this file has to prove; `None` if nothing.
    pub(super) fn unproven(&self, digest: &Digest, file: &Metadata) -> io::Result<Option<Unproven>> {
        // A time that is yet to come is none to rely on.
        let is_old = file.modified()?.elapsed().is_ok_and(|age| age > LATELY);
        let claim = (digest.clone(), Stamp::of_open(file));
        let is_proven = is_old || self.inner.verdicts.found.get(&claim) == Some(true);
        Ok((!is_proven).then(|| Unproven { storage: self.clone(), claim }))
    }

    /// Reads the blob in its place from beginning to end, and puts it away if it is not what its name says. `false`: it
    /// was not.
    pub fn check_blob(&self, digest: &Digest) -> io::Result<bool> {
        let Some(vetted) = self.vet_blob(digest)?.filter(|vetted| !vetted.is_good) else { return Ok(true) };
        self.quarantine(&vetted).map(|_| false)
    }
}
