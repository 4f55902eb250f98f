//! The shelves: bytes under paths of Distribution's layout, and the index behind a trait.
//!
//! The only room that touches files. A method changes one thing durably or reads one thing; which change comes when,
//! and whether it may come at all, is decided in `domain/`. Every method that may wait for a disk is called through
//! [`Storage::run`], never on an async worker.

mod blobs;
mod cached_read;
mod checked;
mod chunks;
mod collection;
mod deleted;
mod directories;
mod disk;
mod durable;
pub mod faults;
mod files;
pub mod hashing;
mod ids;
pub mod index;
pub mod index_http;
mod intents;
mod layout;
mod leftovers;
mod locks;
mod manifests;
mod moves;
mod quarantine;
mod queues;
mod referrers;
mod repositories;
mod share;
mod tags;
mod trash;
mod uploads;

pub use blobs::{OpenBlob, WholeBlob};
pub use chunks::Chunks;
pub use collection::{Beside, Lying, Spot};
pub use deleted::PutAway;
pub use intents::{Intent, IntentTarget};
pub use locks::{Lock, RepositoryLock};
pub use moves::Moves;
pub use quarantine::{PutAside, Vetted};
pub use queues::{Mode, Queue, Queued, Queues, Turn};
pub use repositories::Lies;
pub use share::Share;
pub use tags::TagPage;
pub use trash::{Hidden, Run};
pub use uploads::UploadSession;

use cached_read::SmallFiles;
use checked::Verdicts;
use layout::Layout;
use moka::sync::Cache;
use referrers::Known;
use shared::RepositoryName;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use tags::Listings;
use tokio::task::JoinHandle;

/// Manifests remembered as looked at for a subject, of all repositories together: some 120 bytes each, twice that with one.
const LOOKED_AT: u64 = 200_000;

/// One directory of Distribution's layout. Cheap to clone; any number of processes may hold the same one.
#[derive(Clone)]
pub struct Storage {
    inner: Arc<Inner>,
}

struct Inner {
    layout: Layout,
    /// The directory that all paths lie below, held open so that hot ones are looked up from it.
    base: OwnedFd,
    small_files: SmallFiles,
    verdicts: Verdicts,
    listings: Listings,
    referrers: Cache<RepositoryName, Arc<Known>>,
    queues: Queues,
    /// Nothing is changed, not even to remember something.
    is_read_only: bool,
}

impl Storage {
    /// Opens the directory `root`, making it if it is not there, with an error that names it if it cannot be written.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let open = || -> io::Result<Self> {
            let root = std::path::absolute(root)?;
            directories::create_dirs(&root)?;
            let root = root.canonicalize()?;
            let layout = Layout::new(&root);
            directories::create_dirs(&layout.locks_root())?;
            match make_ready(&layout) {
                // Reads go on, and a collection makes room.
                Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                    tracing::warn!("the disk of the storage folder is full: what is pushed now is refused");
                }
                ready => ready?,
            }
            let base = disk::open(layout.base())?.into();
            Ok(Self::new(layout, base, false))
        };
        open().map_err(|error| anyhow::anyhow!("the storage folder {} cannot be written: {error}", root.display()))
    }

    /// Opens the directory `root` without a change to it: its disk may be one that cannot be written.
    pub fn open_read_only(root: &Path) -> anyhow::Result<Self> {
        let open = || -> io::Result<Self> {
            let root = root.canonicalize()?;
            let layout = Layout::new(&root);
            let base = disk::open(layout.base())?.into();
            Ok(Self::new(layout, base, true))
        };
        open().map_err(|error| anyhow::anyhow!("the storage folder {} cannot be read: {error}", root.display()))
    }

    fn new(layout: Layout, base: OwnedFd, is_read_only: bool) -> Self {
        let weigh = |_: &RepositoryName, known: &Arc<Known>| known.weight();
        let referrers = Cache::builder().max_capacity(LOOKED_AT).weigher(weigh).build();
        let (small_files, verdicts, listings) = (SmallFiles::new(), Verdicts::new(), Listings::new());
        let queues = Queues::default();
        let inner = Inner { layout, base, small_files, verdicts, listings, referrers, queues, is_read_only };
        Self { inner: Arc::new(inner) }
    }

    /// Whether the directory can be written now.
    pub fn check(&self) -> io::Result<()> {
        files::probe_writable(&self.layout().locks_root())
    }

    /// Whether the directory can be read now.
    pub fn check_readable(&self) -> io::Result<()> {
        found(disk::read_dir(self.layout().base())).map(drop)
    }

    /// Runs `work`, which may wait for a disk, on the blocking pool.
    pub async fn run<T, F>(&self, work: F) -> io::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> io::Result<T> + Send + 'static,
    {
        self.start(work).await.map_err(io::Error::other)?
    }

    /// The same, begun at once and waited for later.
    pub fn start<T, F>(&self, work: F) -> JoinHandle<io::Result<T>>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> io::Result<T> + Send + 'static,
    {
        let storage = self.clone();
        tokio::task::spawn_blocking(move || work(&storage))
    }

    /// Where this process queues for the locks of this storage.
    pub fn queues(&self) -> &Queues {
        &self.inner.queues
    }

    fn layout(&self) -> &Layout {
        &self.inner.layout
    }
}

/// Fails if nothing can be written. What a collection begins with is made while there is room for it.
fn make_ready(layout: &Layout) -> io::Result<()> {
    files::probe_writable(&layout.locks_root())?;
    files::open_or_create(&layout.collector_lock())?;
    files::open_or_create(&layout.moves()).map(drop)
}

/// Turns "not there" into `None`.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}
