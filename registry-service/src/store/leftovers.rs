//! What clients that never came back and processes that were stopped leave: unfinished uploads, temporary files.
//!
//! Must not decide how old is too old: `domain/purge.rs` does.

use super::intents::entries;
use super::locks::{Lock, RepositoryLock};
use super::{Storage, disk, files, found};
use crate::model::upload::UploadId;
use jiff::Timestamp;
use shared::RepositoryName;
use std::io;
use std::path::Path;
use uuid::Uuid;

impl Storage {
    /// Visits every unfinished upload, whoever began it.
    pub fn visit_uploads(&self, visit: &mut dyn FnMut(&RepositoryName, UploadId) -> io::Result<()>) -> io::Result<()> {
        self.visit_names(&mut |named| {
            let name = RepositoryName::parse(named.name).ok().filter(|_| named.has_uploads);
            let Some(name) = name else { return Ok(()) };
            let ids = entries(&self.layout().uploads(&name))?;
            ids.iter().filter_map(|id| UploadId::parse(id)).try_for_each(|id| visit(&name, id))
        })
    }

    /// When the upload was begun, by the clock of whoever began it; `None` if it has gone.
    pub fn upload_started(&self, name: &RepositoryName, id: UploadId) -> io::Result<Option<Timestamp>> {
        let directory = self.layout().upload(name, id);
        let said = found(disk::read(&directory.join("startedat")))?;
        let said = said.and_then(|text| String::from_utf8(text).ok()?.trim_end().parse().ok());
        // Empty, or not there yet: then the directory is as old as the upload.
        if said.is_some() { Ok(said) } else { changed_at(&directory) }
    }

    /// Removes an unfinished upload. `false`: somebody writes it, or it has gone.
    pub fn purge_upload(&self, name: &RepositoryName, id: UploadId, _shared: &RepositoryLock) -> io::Result<bool> {
        let directory = self.layout().upload(name, id);
        let _lock = match Lock::try_exclusive_existing(&directory.join("lock")) {
            Ok(Some(lock)) => Some(lock),
            Ok(None) => return Ok(false),
            // A peer's, which is not running now; or one that was stopped as it began. Nobody can go on with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if !files::exists(&directory)? {
            return Ok(false);
        }
        files::remove_tree(&directory).map(|()| true)
    }

    /// Removes temporary files that were written before `before`: a writer renames or removes its own within moments.
    /// Tells how many.
    pub fn sweep_temporary(&self, before: Timestamp) -> io::Result<u64> {
        let mut swept = 0;
        sweep(self.layout().base(), before, &mut swept)?;
        Ok(swept)
    }
}

fn sweep(directory: &Path, before: Timestamp, swept: &mut u64) -> io::Result<()> {
    let Some(entries) = found(disk::read_dir(directory))? else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            sweep(&path, before, swept)?;
            continue;
        }
        let name = entry.file_name();
        let is_temporary = name.to_str().and_then(|name| name.strip_prefix('.')).is_some_and(is_uuid);
        if is_temporary && changed_at(&path)?.is_some_and(|changed| changed < before) {
            *swept += u64::from(found(disk::unlink(&path))?.is_some());
        }
    }
    Ok(())
}

fn is_uuid(text: &str) -> bool {
    Uuid::try_parse(text).is_ok()
}

fn changed_at(path: &Path) -> io::Result<Option<Timestamp>> {
    let Some(there) = found(disk::metadata(path))? else { return Ok(None) };
    Ok(Timestamp::try_from(there.modified()?).ok())
}
