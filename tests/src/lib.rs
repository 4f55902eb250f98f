//! What tests do in their own process and, to be killed, in one of its own: the work that a server does by timer.

use jiff::{SignedDuration, Timestamp};
use registry_service::domain::admission::Admission;
use registry_service::domain::purge::Purged;
use registry_service::domain::{Policy, Registry};
use registry_service::store::Storage;
use std::path::Path;

/// A little later than now, so that what has just been made is older.
pub fn soon() -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(2)
}

/// Removes every unfinished upload that nobody writes and every temporary file below the storage folder `root`, however
/// young. An error if the disk fails.
pub async fn purge(root: &Path) -> anyhow::Result<Purged> {
    let root = root.to_owned();
    let storage = tokio::task::spawn_blocking(move || Storage::open(&root)).await??;
    let registry = Registry::new(storage, Admission::Open, Policy { deletes: true, read_only: false });
    Ok(registry.purge(soon(), false).await?)
}
