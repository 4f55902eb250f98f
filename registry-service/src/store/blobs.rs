//! Blobs and the links that make them readable in a repository.

use super::cached_read::read_link_blocking;
use super::directories;
use super::disk::{self, File};
use super::files::{self, Placed};
use super::hashing::hash_file;
use super::{Storage, found};
use shared::{Digest, RepositoryName};
use std::io;
use std::path::Path;

/// A blob's bytes, open for reading. They stay readable whatever becomes of the path.
#[derive(Debug)]
pub struct OpenBlob {
    /// The open file.
    pub file: File,
    /// Its size in bytes.
    pub size: u64,
}

impl Storage {
    /// The digest of the content that `name` has under `digest`; `None` if it has no such blob.
    pub async fn layer(&self, name: &RepositoryName, digest: &Digest) -> io::Result<Option<Digest>> {
        self.read_link(self.layout().layer_link(name, digest)).await
    }

    /// Opens the content of `digest`, whoever may read it.
    pub async fn open_blob(&self, digest: &Digest) -> io::Result<Option<OpenBlob>> {
        let path = self.layout().blob(digest);
        if let Ok(file) = self.open_cached(&path) {
            let size = file.metadata()?.len();
            return Ok(Some(OpenBlob { file, size }));
        }
        self.run(move |_| {
            let Some(file) = found(disk::open(&path))? else { return Ok(None) };
            let size = file.metadata()?.len();
            Ok(Some(OpenBlob { file, size }))
        })
        .await
    }

    /// All bytes of the content of `digest`.
    pub fn read_blob(&self, digest: &Digest) -> io::Result<Option<Vec<u8>>> {
        found(disk::read(&self.layout().blob(digest)))
    }

    /// The content that `name` has under `digest`, if its bytes are there.
    pub fn layer_content(&self, name: &RepositoryName, digest: &Digest) -> io::Result<Option<Digest>> {
        let content = read_link_blocking(&self.layout().layer_link(name, digest))?;
        match content {
            Some(content) if files::is_file(&self.layout().blob(&content))? => Ok(Some(content)),
            _ => Ok(None),
        }
    }

    /// Makes `content`, whose bytes are durable already, readable in `name` under `digest`: nearly always the same.
    pub fn link_layer(&self, name: &RepositoryName, digest: &Digest, content: &Digest) -> io::Result<()> {
        files::replace(&self.layout().layer_link(name, digest), content.as_str().as_bytes())
    }

    /// Takes the blob away from `name`; the bytes stay for others. Tells whether it was there.
    pub fn unlink_layer(&self, name: &RepositoryName, digest: &Digest) -> io::Result<bool> {
        files::remove(&self.layout().layer_link(name, digest))
    }

    /// Writes `bytes`, whose digest is `digest`.
    pub fn store_blob(&self, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        let path = self.layout().blob(digest);
        if self.read_blob(digest)?.is_some_and(|there| there == bytes) {
            return files::sync(&path);
        }
        // Free, or damaged: what is there is not what its name says.
        files::replace(&path, bytes)
    }

    /// Moves the synced file `data`, whose digest is `digest`, to its place. Good bytes that lie there already stay;
    /// damaged ones are replaced, so that pushing again heals.
    pub(super) fn place_blob(&self, digest: &Digest, data: &Path) -> io::Result<()> {
        let path = self.layout().blob(digest);
        let placed = directories::in_directory(files::parent_of(&path)?, || files::rename_no_replace(data, &path))?;
        if placed == Placed::New {
            return Ok(());
        }
        if is_good(&path, digest)? {
            // Whoever put it there may not have come to this yet.
            return files::sync(&path);
        }
        tracing::warn!(%digest, "a damaged blob was replaced by a good one");
        files::rename(data, &path)
    }
}

fn is_good(path: &Path, digest: &Digest) -> io::Result<bool> {
    let Some(file) = found(disk::open(path))? else { return Ok(false) };
    let length = file.metadata()?.len();
    Ok(hash_file(digest.algorithm(), &file, length)?.finish() == *digest)
}
