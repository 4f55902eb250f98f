//! Blobs and the links that make them readable in a repository.

use super::cached_read::read_link_blocking;
use super::checked::{Known, Unproven};
use super::chunks::Chunks;
use super::directories;
use super::disk::{self, File};
use super::files::{self, Placed};
use super::hashing::digest_of;
use super::layout::Layout;
use super::locks::RepositoryLock;
use super::quarantine::{Vetted, is_damage};
use super::trash::{bring_back, read_anywhere, remove_anywhere};
use super::{Storage, found};
use shared::{Digest, RepositoryName};
use std::io;
use std::path::Path;

/// A blob's bytes, open for reading. They stay readable whatever becomes of the path.
pub struct OpenBlob {
    /// What the bytes should be.
    pub digest: Digest,
    /// Their number.
    pub size: u64,
    file: File,
    /// `false`: it was hidden, or is perhaps.
    is_in_place: bool,
    unproven: Option<Unproven>,
}

/// All bytes of a content, as they were found.
#[derive(Debug)]
pub enum WholeBlob {
    /// What the digest says.
    Good(Vec<u8>),
    /// They lie somewhere, and are something else.
    Damaged,
    /// They lie somewhere, and the disk does not give them back now. It may later.
    Unreadable(io::Error),
    /// They were damaged, and are quarantined.
    Quarantined,
    /// Nobody has them.
    Nowhere,
}

impl WholeBlob {
    /// The bytes, if they are what the digest says.
    pub fn good(self) -> Option<Vec<u8>> {
        if let Self::Good(bytes) = self { Some(bytes) } else { None }
    }
}

impl OpenBlob {
    /// Where they lie within the folder `blobs/` of the storage, for a program that can read them there; `None` while they
    /// have to be checked, or are hidden.
    pub fn place(&self) -> Option<String> {
        (self.is_in_place && self.unproven.is_none()).then(|| Layout::below_blobs(&self.digest))
    }

    /// All bytes, as a stream. If it is the first time since they were written, it ends only if they are good.
    pub fn whole(self) -> Chunks {
        let size = self.size;
        self.part(0, size)
    }

    /// The `length` bytes from `first` on, as a stream. The same holds: it ends only if all of the blob is good.
    pub fn part(self, first: u64, length: u64) -> Chunks {
        Chunks::new(self.file, first, length).checked(self.unproven.map(|unproven| unproven.check(length)))
    }
}

impl Storage {
    /// The digest of the content that `name` has under `digest`; `None` if it has no such blob.
    pub async fn layer(&self, name: &RepositoryName, digest: &Digest) -> io::Result<Option<Digest>> {
        self.read_link(self.layout().layer_link(name, digest)).await
    }

    /// Opens the content of `digest`, whoever may read it. What is known to be damaged is put away, and not there.
    pub async fn open_blob(&self, digest: &Digest) -> io::Result<Option<OpenBlob>> {
        let path = self.layout().blob(digest);
        let file = match self.open_cached(&path) {
            Ok(file) => Some(file),
            Err(_) => self.run(move |_| found(disk::open(&path))).await?,
        };
        let Some(file) = file else { return Ok(None) };
        self.judged(digest, file, true).await
    }

    /// The same, hidden or not, and nothing is brought back.
    pub async fn open_blob_anywhere(&self, digest: &Digest) -> io::Result<Option<OpenBlob>> {
        let path = self.layout().blob(digest);
        let file = self.run(move |_| read_anywhere(&path, |path| found(disk::open(path)))).await?;
        let Some(file) = file else { return Ok(None) };
        self.judged(digest, file, false).await
    }

    /// The blob in `file`, if it is not known to be damaged.
    async fn judged(&self, digest: &Digest, file: File, is_in_place: bool) -> io::Result<Option<OpenBlob>> {
        let metadata = file.metadata()?;
        let unproven = match self.known(digest, &metadata) {
            Known::Good => None,
            Known::Nothing(unproven) => Some(unproven),
            Known::Damaged(damaged) => {
                self.run(move |storage| storage.quarantine(&damaged)).await?;
                return Ok(None);
            }
        };
        Ok(Some(OpenBlob { digest: digest.clone(), size: metadata.len(), file, is_in_place, unproven }))
    }

    /// All bytes of the content of `digest`, hidden or not, and hashed: a digit that the disk has changed still parses.
    pub fn read_blob(&self, digest: &Digest) -> io::Result<WholeBlob> {
        Ok(match read_anywhere(&self.layout().blob(digest), |path| found(disk::read(path))) {
            Ok(Some(bytes)) if digest_of(digest.algorithm(), &bytes) == *digest => WholeBlob::Good(bytes),
            Ok(Some(_)) => WholeBlob::Damaged,
            Ok(None) if self.blob_spot(digest).beside()?.damaged.is_empty() => WholeBlob::Nowhere,
            Ok(None) => WholeBlob::Quarantined,
            Err(error) if is_damage(&error) => WholeBlob::Unreadable(error),
            Err(error) => return Err(error),
        })
    }

    /// Whether the bytes of `content` are there, hidden or not.
    pub fn has_blob(&self, content: &Digest) -> io::Result<bool> {
        let is_there = |path: &Path| Ok(files::is_file(path)?.then_some(()));
        Ok(read_anywhere(&self.layout().blob(content), is_there)?.is_some())
    }

    /// The content that `name` has under `digest`, hidden or not.
    pub fn layer_now(&self, name: &RepositoryName, digest: &Digest) -> io::Result<Option<Digest>> {
        read_anywhere(&self.layout().layer_link(name, digest), read_link_blocking)
    }

    /// Makes sure that the bytes of `content` are in their place. `false`: they are nowhere.
    pub fn need_blob(&self, content: &Digest) -> io::Result<bool> {
        bring_back(&self.layout().blob(content))
    }

    /// The same, and the bytes are as young as if they had just been written: somebody relies on them who has no manifest
    /// that names them yet.
    pub fn renew_blob(&self, content: &Digest) -> io::Result<bool> {
        Ok(self.need_blob(content)? && found(files::touch(&self.layout().blob(content)))?.is_some())
    }

    /// The content that `name` has under `digest`; link and bytes are in their places from now on, if they are anywhere.
    pub fn need_layer(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        _shared: &RepositoryLock,
    ) -> io::Result<Option<Digest>> {
        let link = self.layout().layer_link(name, digest);
        if !bring_back(&link)? {
            return Ok(None);
        }
        let Some(content) = read_link_blocking(&link)? else { return Ok(None) };
        Ok(if self.need_blob(&content)? { Some(content) } else { None })
    }

    /// Makes `content`, whose bytes are durable already, readable in `name` under `digest`: nearly always the same.
    pub fn link_layer(&self, name: &RepositoryName, digest: &Digest, content: &Digest) -> io::Result<()> {
        self.need_name(name)?;
        files::replace(&self.layout().layer_link(name, digest), content.as_str().as_bytes())
    }

    /// Takes the blob away from `name`; the bytes stay for others. Tells whether it was there.
    pub fn unlink_layer(&self, name: &RepositoryName, digest: &Digest) -> io::Result<bool> {
        remove_anywhere(&self.layout().layer_link(name, digest))
    }

    /// Makes sure that the repository's having the blob lasts, or its not having it.
    pub fn make_layer_durable(&self, name: &RepositoryName, digest: &Digest) -> io::Result<()> {
        files::make_durable(&self.layout().layer_link(name, digest))
    }

    /// Writes `bytes`, whose digest is `digest`.
    pub fn store_blob(&self, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        let path = self.layout().blob(digest);
        let is_good = self.need_blob(digest)?
            && match found(disk::read(&path)) {
                Ok(there) => there.is_some_and(|there| there == bytes),
                Err(error) if is_damage(&error) => false,
                Err(error) => return Err(error),
            };
        if is_good && found(files::touch(&path).and_then(|()| files::sync(&path)))?.is_some() {
            return Ok(());
        }
        // Free, hidden again, or damaged: what is there is not what its name says.
        files::replace(&path, bytes)
    }

    /// Moves the synced file `data`, whose digest is `digest`, to its place. Good bytes that lie there already stay, and are
    /// young again; damaged ones are replaced, so that pushing again heals. `false`: what lies there is not what was
    /// `vetted`.
    pub(super) fn place_blob(&self, digest: &Digest, data: &Path, vetted: Option<&Vetted>) -> io::Result<bool> {
        let path = self.layout().blob(digest);
        let placed = directories::in_directory(files::parent_of(&path)?, || files::rename_no_replace(data, &path))?;
        if placed == Placed::New {
            return Ok(true);
        }
        let Some(vetted) = vetted else { return Ok(false) };
        if !vetted.lies_at(&path)? {
            return Ok(false);
        }
        if vetted.is_good {
            // By name: if it was hidden meanwhile, the place is free, and the caller begins again. Whoever put it there
            // may not have come to syncing it yet.
            return Ok(found(files::touch(&path).and_then(|()| files::sync(&path)))?.is_some());
        }
        tracing::warn!(%digest, "a damaged blob was replaced by a good one");
        files::rename(data, &path).map(|()| true)
    }
}
