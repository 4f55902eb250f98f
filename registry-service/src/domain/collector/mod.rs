//! The collector: takes away what nobody needs, while everybody goes on reading and writing.
//!
//! What no manifest names is hidden, everything is marked again, and what is needed after all goes back; only what a
//! mark that began after the hiding does not keep is unlinked. Why that is safe: a writer publishes its intent before it
//! looks at what it needs. A mark that saw the intent, or the link that followed it, keeps the thing; if it saw neither,
//! the writer looks after the hiding, and brings the thing back or finds it gone and makes nothing visible. No clock
//! decides: ages only keep things longer.
//!
//! What a run that died left hidden gets this run's name in the first sweep, in passing, and not in a walk of its own
//! before the first mark: that mark unlinks nothing, and the one that does begins after the renaming, here as there.
//!
//! It asks nobody, its roots lie in storage; so it runs in a process of its own as well as beside a server.

mod at_once;
mod fates;
mod mark;
mod sweep;

use crate::model::collection::{Event, Phase};
use crate::store::{Run, Storage};
use jiff::{SignedDuration, Timestamp};
use mark::Marks;
use shared::Digest;
use std::io;
use sweep::{Pass, Sweeper};
use uuid::Uuid;

/// Who is told what a collection comes to, from whichever thread comes to it.
pub type Report<'r> = dyn FnMut(Event) + Send + 'r;

/// How a collection is done.
#[derive(Debug, Clone)]
pub struct Collection {
    /// When it begins.
    pub now: Timestamp,
    /// What is younger is left alone; and what is hidden stays so for this long before it is deleted.
    pub grace: SignedDuration,
    /// A manifest that a tag pointed at since then is kept.
    pub restore_window: SignedDuration,
    /// Whether manifests go that no tag points at, no index lists, and that refer to nothing that is there.
    pub delete_untagged: bool,
    /// Whether nothing is changed, and only said.
    pub dry_run: bool,
}

/// Why a collection ended early. Whatever it had hidden by then is taken up by the next.
#[derive(Debug, thiserror::Error)]
pub enum CollectionError {
    /// Somebody else collects.
    #[error("another collection is running on this storage; wait until it has ended")]
    Running,
    /// What a manifest needs cannot be known.
    #[error(
        "manifest {digest} of {repository} cannot be read, so what it needs cannot be known: delete it or push it again"
    )]
    Unreadable {
        /// The repository.
        repository: String,
        /// The manifest.
        digest: Digest,
    },
    /// The disk failed.
    #[error(transparent)]
    Storage(#[from] io::Error),
}

impl Collection {
    /// Collects, and tells `report` of everything it comes to. Waits for disks and locks: not for an async worker.
    pub fn run(&self, storage: &Storage, report: &mut Report<'_>) -> Result<(), CollectionError> {
        let _only_one = storage.try_collector_lock()?.ok_or(CollectionError::Running)?;
        let run = Run { began: self.now, id: Uuid::new_v4().to_string() };
        let mut sweeper = Sweeper::new(storage, self, &run, report);
        if !self.dry_run {
            // Nobody reads it before the first mark, which notes where it ends.
            storage.clear_moves()?;
        }
        // A manifest that goes may have been all that kept its children and blobs.
        while self.once(&mut sweeper)? && self.grace.is_zero() {}
        if !self.dry_run {
            storage.remove_put_away_tags(self.before(self.grace))?;
            storage.forget_purged(self.before(self.grace))?;
        }
        Ok(())
    }

    /// One round. Tells whether a manifest has gone, so that there may be more to do.
    fn once(&self, sweeper: &mut Sweeper<'_, '_>) -> Result<bool, CollectionError> {
        (sweeper.report)(Event::Round);
        let marks = self.mark(sweeper)?;
        let first = sweeper.sweep(&marks, Pass::Hiding)?;
        if self.dry_run || !first.hidden {
            return Ok(first.manifests_gone);
        }
        sweeper.storage.pause("collector hid");
        let marks = self.mark(sweeper)?;
        let second = sweeper.sweep(&marks, Pass::Settling)?;
        Ok(first.manifests_gone || second.manifests_gone)
    }

    fn mark(&self, sweeper: &mut Sweeper<'_, '_>) -> Result<Marks, CollectionError> {
        sweeper.phase(Phase::Marking);
        Marks::read(sweeper.storage, self, &sweeper.gone, sweeper.report)
    }

    /// The time that lies `age` before the beginning.
    fn before(&self, age: SignedDuration) -> Timestamp {
        self.now.checked_sub(age).unwrap_or(Timestamp::MIN)
    }
}
