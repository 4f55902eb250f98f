//! Bytes that are not what their name says: found by hashing them, and renamed out of the way, where a peer ignores them.
//!
//! What is quarantined is absent, and the next push of the same content brings it back. The damaged bytes stay meanwhile:
//! most of them may be good, and they are all that is left.

use super::cached_read::Stamp;
use super::collection::Lying;
use super::disk;
use super::files::{self, Placed};
use super::hashing::hash_with;
use super::layout::{QUARANTINED, quarantined};
use super::trash::hidden;
use super::{Storage, found};
use jiff::Timestamp;
use shared::Digest;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// A file with a blob's bytes that was hashed, so that it is known again without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vetted {
    pub(super) path: PathBuf,
    /// A change, and any other file in its place, makes another one: numbers of inodes are used again.
    pub(super) stamp: Stamp,
    /// Whether its bytes are what the blob's digest says; if they cannot be read they are not.
    pub is_good: bool,
}

impl Vetted {
    /// Whether exactly this lies at `path` now.
    pub(super) fn lies_at(&self, path: &Path) -> io::Result<bool> {
        Ok(found(disk::metadata(path))?.is_some_and(|there| Stamp::of_open(&there) == self.stamp))
    }

    /// The same after a rename, which changes the stamp.
    fn was_moved_to(&self, path: &Path) -> io::Result<bool> {
        Ok(found(disk::metadata(path))?.is_some_and(|there| Stamp::of_open(&there).is_same_file(&self.stamp)))
    }
}

/// Bytes that were put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutAside {
    path: PathBuf,
}

impl PutAside {
    /// Reads a name beside `directory`'s `data`; `None` if it is not one of such bytes.
    pub(super) fn parse(directory: &Path, name: &str) -> Option<Self> {
        name.starts_with(QUARANTINED).then(|| Self { path: directory.join(name) })
    }

    /// Since when they are there, and how many; `None` if they are not there any more.
    pub fn lying(&self) -> io::Result<Option<Lying>> {
        let Some(there) = found(disk::metadata(&self.path))? else { return Ok(None) };
        // A rename leaves the time of the content and sets that of the inode.
        let since = Timestamp::from_second(there.ctime()).unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(Some(Lying { since, size: there.len() }))
    }

    /// Unlinks them. A crash may undo it, which does no harm.
    pub fn unlink(&self) -> io::Result<()> {
        found(disk::unlink(&self.path)).map(drop)
    }
}

impl Storage {
    /// Hashes every file that holds the bytes of `digest`, hidden ones too. `read` is told of each block, in bytes.
    pub fn vet_copies(&self, digest: &Digest, read: &mut dyn FnMut(u64)) -> io::Result<Vec<Vetted>> {
        let place = self.layout().blob(digest);
        let hidden = hidden(&place)?.into_iter().map(|hidden| hidden.path);
        let mut vetted = Vec::new();
        for path in std::iter::once(place).chain(hidden) {
            vetted.extend(vet(&path, digest, read)?);
        }
        Ok(vetted)
    }

    /// Hashes what lies in the place of `digest`, if anything does.
    pub fn vet_blob(&self, digest: &Digest) -> io::Result<Option<Vetted>> {
        vet(&self.layout().blob(digest), digest, &mut |_| ())
    }

    /// Renames a damaged file out of the way, durably. `false`: it is not there any more, or another one is, or nothing may
    /// be changed here.
    pub fn quarantine(&self, damaged: &Vetted) -> io::Result<bool> {
        if self.inner.is_read_only || !damaged.lies_at(&damaged.path)? {
            return Ok(false);
        }
        let to = quarantined(&damaged.path, &Uuid::new_v4().to_string());
        if found(files::rename_no_replace(&damaged.path, &to))? != Some(Placed::New) {
            return Ok(false);
        }
        if damaged.was_moved_to(&to)? {
            tracing::error!(path = %damaged.path.display(), "a damaged blob was put away; pushing it again heals it");
            return Ok(true);
        }
        // A push healed it between the look and the rename: what was taken away is good.
        files::rename_no_replace(&to, &damaged.path)?;
        Ok(false)
    }
}

fn vet(path: &Path, digest: &Digest, read: &mut dyn FnMut(u64)) -> io::Result<Option<Vetted>> {
    let Some(file) = found(disk::open(path))? else { return Ok(None) };
    let metadata = file.metadata()?;
    let is_good = match hash_with(digest.algorithm(), &file, metadata.len(), read) {
        Ok(hasher) => hasher.finish() == *digest,
        Err(error) if is_damage(&error) => {
            tracing::error!(%digest, %error, "bytes of a blob cannot be read");
            false
        }
        Err(error) => return Err(error),
    };
    Ok(Some(Vetted { path: path.to_owned(), stamp: Stamp::of_open(&metadata), is_good }))
}

/// The file is shorter than it says, or the disk gives its bytes back no more.
pub(super) fn is_damage(error: &io::Error) -> bool {
    let lost = rustix::io::Errno::IO.raw_os_error();
    error.kind() == io::ErrorKind::UnexpectedEof || error.raw_os_error() == Some(lost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::hashing::digest_of;
    use shared::Algorithm;

    #[test]
    fn only_the_file_that_was_found_damaged_is_renamed() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(folder.path()).unwrap();
        let digest = digest_of(Algorithm::Sha256, b"content");
        storage.store_blob(&digest, b"content").unwrap();
        let place = storage.layout().blob(&digest);
        std::fs::write(&place, "damaged").unwrap();
        let damaged = storage.vet_blob(&digest).unwrap().unwrap();
        assert!(!damaged.is_good);
        // A push replaces it by another file before it is renamed.
        storage.store_blob(&digest, b"content").unwrap();
        assert!(!storage.quarantine(&damaged).unwrap());
        assert_eq!(std::fs::read(&place).unwrap(), b"content");

        std::fs::write(&place, "damaged").unwrap();
        let damaged = storage.vet_blob(&digest).unwrap().unwrap();
        assert!(storage.quarantine(&damaged).unwrap());
        assert!(!place.exists() && !storage.quarantine(&damaged).unwrap());
        let names: Vec<_> = std::fs::read_dir(place.parent().unwrap()).unwrap().map(|entry| entry.unwrap()).collect();
        assert!(names.len() == 1 && names[0].file_name().to_str().unwrap().starts_with(QUARANTINED));
    }
}
