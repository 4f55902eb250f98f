//! Removing what nobody comes back for: unfinished uploads and temporary files that are too old.

use super::Registry;
use super::refusal::Refusal;
use crate::store::Storage;
use jiff::Timestamp;
use std::io;

/// What a purge removed, or would.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Unfinished uploads.
    pub uploads: u64,
    /// Temporary files.
    pub files: u64,
}

impl Registry {
    /// Removes uploads begun before `before`, and temporary files as old. With `dry_run` uploads are only named. What is
    /// being written is left alone however old it is.
    pub async fn purge(&self, before: Timestamp, dry_run: bool) -> Result<Purged, Refusal> {
        let purged = self.storage().run(move |storage| {
            let uploads = purge_uploads(storage, before, dry_run)?;
            let files = if dry_run { 0 } else { storage.sweep_temporary(before)? };
            Ok(Purged { uploads, files })
        });
        Ok(purged.await?)
    }
}

fn purge_uploads(storage: &Storage, before: Timestamp, dry_run: bool) -> io::Result<u64> {
    let mut purged = 0;
    storage.visit_uploads(&mut |name, id| {
        let Some(started) = storage.upload_started(name, id)?.filter(|started| *started < before) else {
            return Ok(());
        };
        // A repository that is being deleted, or an upload that is being written: another time.
        let gone = match storage.try_share(name)? {
            _ if dry_run => true,
            Some(lock) => storage.purge_upload(name, id, &lock)?,
            None => false,
        };
        if gone {
            tracing::info!(repository = %name, upload = %id, %started, dry_run, "an upload that nobody finished");
            purged += 1;
        }
        Ok(())
    })?;
    Ok(purged)
}
