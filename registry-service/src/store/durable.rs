//! Files and directories that this process knows to be durable with their entries, and with all directories above them.
//!
//! That something is there proves nothing: whoever made it may not have come to the sync of its directory yet, or that sync
//! failed. (Its bytes were synced before it got its name.) What nobody has changed for long is another matter: the system
//! writes by itself what is older than half a minute.

use super::disk::Metadata;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

/// How many are remembered; about five megabytes.
const MOST_REMEMBERED: usize = 64 * 1024;

/// After this the system has surely written what was changed, by itself: Linux does within half a minute
/// (`vm.dirty_expire_centisecs`), file systems commit their journals more often.
const WRITTEN_BACK: Duration = Duration::from_mins(10);

/// Whether the last change of any kind was long enough ago. No tool sets that time back; a clock that is wrong by more than
/// that takes too much for written, which matters only where a writer was stopped and the power goes soon after.
pub fn was_written_back(there: &Metadata) -> bool {
    let changed = u64::try_from(there.ctime()).map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
    changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > WRITTEN_BACK))
}

static DURABLE: LazyLock<Mutex<HashSet<Entry>>> = LazyLock::new(Mutex::default);

/// What lies at a path. A number of an inode is used again when its file has gone, so the time of birth is part of it, or
/// where the file system knows none that of the last change, which only makes more be synced.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    path: u64,
    device: u64,
    inode: u64,
    since: (i64, i64),
}

impl Entry {
    /// The one at `path`, of which this was read.
    pub fn new(path: &Path, there: &Metadata) -> Self {
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        let born = there.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        let since = match born {
            Some(born) => (born.as_secs().cast_signed(), born.subsec_nanos().into()),
            None => (there.ctime(), there.ctime_nsec()),
        };
        Self { path: hasher.finish(), device: there.dev(), inode: there.ino(), since }
    }

    /// Whether it is known to be durable.
    pub fn is_durable(&self) -> bool {
        DURABLE.lock().unwrap_or_else(PoisonError::into_inner).contains(self)
    }

    /// It was made durable, and was read before that began.
    pub fn remember(self) {
        let mut durable = DURABLE.lock().unwrap_or_else(PoisonError::into_inner);
        if durable.len() >= MOST_REMEMBERED {
            // What is needed again is synced once more, which costs little.
            durable.clear();
        }
        durable.insert(self);
    }
}
