//! Revision links: which manifests a repository has. Their bytes are blobs.

use super::cached_read::read_link_blocking;
use super::intents::digests;
use super::locks::RepositoryLock;
use super::trash::{bring_back, read_anywhere, remove_anywhere};
use super::{Storage, disk, files};
use shared::{Digest, RepositoryName};
use std::io;

impl Storage {
    /// The digest of the content that `name` has as manifest `digest`; `None` if it has no such manifest.
    pub async fn revision(&self, name: &RepositoryName, digest: &Digest) -> io::Result<Option<Digest>> {
        self.read_link(self.layout().revision_link(name, digest)).await
    }

    /// The same, hidden or not.
    pub fn revision_now(&self, name: &RepositoryName, digest: &Digest) -> io::Result<Option<Digest>> {
        read_anywhere(&self.layout().revision_link(name, digest), read_link_blocking)
    }

    /// Whether `name` has the manifest, and its bytes are there, hidden or not.
    pub fn has_revision(&self, name: &RepositoryName, digest: &Digest) -> io::Result<bool> {
        match self.revision_now(name, digest)? {
            Some(content) => self.has_blob(&content),
            None => Ok(false),
        }
    }

    /// Whether the manifest's link is in its place, where the collector leaves everything it needs alone.
    pub fn is_revision_in_place(&self, name: &RepositoryName, digest: &Digest) -> io::Result<bool> {
        Ok(read_link_blocking(&self.layout().revision_link(name, digest))?.is_some())
    }

    /// Makes sure that the manifest's link is in its place. What it needs must be in place already.
    pub fn need_revision(&self, name: &RepositoryName, digest: &Digest, _shared: &RepositoryLock) -> io::Result<bool> {
        bring_back(&self.layout().revision_link(name, digest))
    }

    /// Makes the manifest readable in `name`. Its bytes are durable already.
    pub fn link_revision(&self, name: &RepositoryName, digest: &Digest) -> io::Result<()> {
        files::replace(&self.layout().revision_link(name, digest), digest.as_str().as_bytes())
    }

    /// Takes the manifest away from `name`. Tells whether it was there.
    pub fn unlink_revision(&self, name: &RepositoryName, digest: &Digest) -> io::Result<bool> {
        let link = self.layout().revision_link(name, digest);
        let was_there = remove_anywhere(&link)?;
        // An empty directory is no manifest to anybody; removing it only keeps the tree tidy.
        let _ = disk::remove_dir(files::parent_of(&link)?);
        Ok(was_there)
    }

    /// Makes sure that the repository's having the manifest lasts, or its not having it.
    pub fn make_revision_durable(&self, name: &RepositoryName, digest: &Digest) -> io::Result<()> {
        files::make_durable(&self.layout().revision_link(name, digest))
    }

    /// Every manifest of `name`, hidden or not.
    pub fn revisions(&self, name: &RepositoryName) -> io::Result<Vec<Digest>> {
        let mut all = Vec::new();
        for digest in digests(&self.layout().revisions(name))? {
            all.extend(self.revision_now(name, &digest)?);
        }
        Ok(all)
    }
}
