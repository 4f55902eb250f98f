//! The first read after a write: a blob written lately is hashed when it is sent for the first time, and one that is
//! not what its name says never becomes a whole answer, nor a whole part.
//!
//! What a disk or a crash has done to the bytes shows here at the latest. Later reads cost nothing: which files were found
//! good is remembered, as long as they do not change and this process lives. Of many first reads at once, as when a whole
//! cluster pulls what was just pushed, one hashes what it sends; the others, and whoever reads a part, hold back their
//! last bytes until one more hash has been made for all of them, because the first may be slow or never come to its end.
//!
//! Written lately is what was changed lately in any way: no tool sets that time back, as some do with the content's. What
//! was found good once has a length that is known: a file with another one, or one found damaged, is not opened any more.
//! What a manifest says of its layers' lengths is remembered too: an old file with another one is read as if it had been
//! written lately.
//! The limit: of a blob that this process has never read to its end it is not sure of the length, and a HEAD tells that of
//! the file. If the file has lost bytes, that shows when it is read; if it did so more than a day before, and this process
//! has sent no manifest that names it, in a scrub.

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

/// Files found good or damaged that are remembered, and lengths that manifests say.
const REMEMBERED: usize = 20_000;

/// A file as it is now, and the digest of what it should hold.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Claim {
    digest: Digest,
    stamp: Stamp,
    size: u64,
}

/// What was found of a file that was hashed.
#[derive(Clone, Copy)]
struct Verdict {
    /// Of the file as it was then.
    stamp: Stamp,
    is_good: bool,
    size: u64,
}

/// What was found of files that were hashed.
pub(super) struct Verdicts {
    /// Of the last one that should hold what the digest says.
    found: Cache<Digest, Verdict>,
    /// How many bytes it should hold, as a manifest says, which may be wrong.
    named: Cache<Digest, u64>,
    /// Those that are hashed while somebody reads them.
    in_passing: Mutex<HashSet<Claim>>,
}

impl Verdicts {
    pub fn new() -> Self {
        Self { found: Cache::new(REMEMBERED), named: Cache::new(REMEMBERED), in_passing: Mutex::default() }
    }

    /// Whether the file was found good; `None` if nobody has looked.
    fn on(&self, claim: &Claim) -> Option<bool> {
        self.found.get(&claim.digest).filter(|verdict| verdict.stamp == claim.stamp).map(|verdict| verdict.is_good)
    }

    fn in_passing(&self) -> MutexGuard<'_, HashSet<Claim>> {
        // No code panics while it holds this lock; a poisoned one is as good as any.
        self.in_passing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of a file that should hold a blob's bytes.
pub(super) enum Known {
    /// It does.
    Good,
    /// It does not.
    Damaged(Vetted),
    /// Nobody has looked yet.
    Nothing(Unproven),
}

/// A file that nobody has found good yet.
#[derive(Clone)]
pub(super) struct Unproven {
    storage: Storage,
    claim: Claim,
}

/// The check of one read.
pub(super) enum Check {
    /// While the whole is read.
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
    /// An error if `file` is not the blob. Whoever comes first looks, the others hear of it.
    pub async fn judge(self, file: Arc<File>) -> io::Result<()> {
        let Self(unproven) = self;
        let (storage, queue) = (unproven.storage.clone(), Queue::Check(unproven.claim.digest.clone()));
        let turn = storage.queues().turn(queue, Mode::Exclusive).await;
        let turn = turn.ok_or(io::ErrorKind::ResourceBusy)?;
        let look = move |storage: &Storage| {
            // Kept by who hashes, not by who waits for it: whoever has gone leaves no second one to begin beside it.
            let _turn = turn;
            let claim = &unproven.claim;
            match storage.inner.verdicts.on(claim) {
                Some(true) => Ok(()),
                Some(false) => Err(unproven.damaged()),
                None => {
                    storage.pause("blob hashed for all");
                    unproven.judge(&hash_file(claim.digest.algorithm(), &file, claim.size)?.finish())
                }
            }
        };
        storage.run(look).await
    }
}

impl Unproven {
    /// The check of a read of `length` bytes that begins now.
    pub fn check(self, length: u64) -> Check {
        let is_whole = length == self.claim.size;
        if is_whole && self.storage.inner.verdicts.in_passing().insert(self.claim.clone()) {
            let hasher = Hasher::new(self.claim.digest.algorithm());
            Check::InPassing(Box::new(InPassing { unproven: self, hasher }))
        } else {
            Check::AtTheEnd(AtTheEnd(self))
        }
    }

    /// An error if the file, whose digest was found to be `found`, is not the blob; then it is put away, so that the next
    /// push brings a good one.
    fn judge(&self, found: &Digest) -> io::Result<()> {
        let Claim { digest, stamp, size } = &self.claim;
        let is_good = found == digest;
        let verdict = Verdict { stamp: *stamp, is_good, size: *size };
        self.storage.inner.verdicts.found.insert(digest.clone(), verdict);
        if is_good {
            return Ok(());
        }
        let damaged = self.storage.damaged(digest, *stamp);
        drop(self.storage.start(move |storage| storage.quarantine(&damaged)));
        Err(self.damaged())
    }

    fn damaged(&self) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("the bytes of {} are damaged", self.claim.digest))
    }
}

impl Storage {
    /// What is known of this file, which lies in the place of `digest`.
    pub(super) fn known(&self, digest: &Digest, file: &Metadata) -> Known {
        let (stamp, size) = (Stamp::of_open(file), file.len());
        let verdicts = &self.inner.verdicts;
        match verdicts.found.get(digest) {
            Some(verdict) if verdict.is_good && verdict.size != size => Known::Damaged(self.damaged(digest, stamp)),
            Some(verdict) if verdict.stamp == stamp && verdict.is_good => Known::Good,
            Some(verdict) if verdict.stamp == stamp => Known::Damaged(self.damaged(digest, stamp)),
            _ if stamp.is_older_than(LATELY) && verdicts.named.get(digest).is_none_or(|named| named == size) => {
                Known::Good
            }
            _ => {
                let claim = Claim { digest: digest.clone(), stamp, size };
                Known::Nothing(Unproven { storage: self.clone(), claim })
            }
        }
    }

    /// Remembers how many bytes a manifest says that the blob has.
    pub fn expect_size(&self, digest: Digest, size: u64) {
        self.inner.verdicts.named.insert(digest, size);
    }

    fn damaged(&self, digest: &Digest, stamp: Stamp) -> Vetted {
        Vetted { path: self.layout().blob(digest), stamp, is_good: false }
    }

    /// Reads the blob in its place from beginning to end, and puts it away if it is not what its name says. `false`: it
    /// was not.
    pub fn check_blob(&self, digest: &Digest) -> io::Result<bool> {
        let Some(vetted) = self.vet_blob(digest)?.filter(|vetted| !vetted.is_good) else { return Ok(true) };
        self.quarantine(&vetted).map(|_| false)
    }
}
