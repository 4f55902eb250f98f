//! What the collector walks over: every blob, and the links of a repository, wherever it lies.
//!
//! Must not decide what goes: `domain/collector/` does.

use super::cached_read::read_link_blocking;
use super::files::{self, Placed};
use super::intents::{digests, entries};
use super::layout::RepositoryPaths;
use super::locks::Lock;
use super::quarantine::PutAside;
use super::repositories::Lies;
use super::trash::{self, Hidden, Run};
use super::{Storage, disk, found};
use jiff::Timestamp;
use shared::Digest;
use std::io;
use std::path::{Path, PathBuf};

/// A place where a blob's bytes or a link lie, or may lie, and its hidden names beside it.
#[derive(Debug, Clone)]
pub struct Spot {
    path: PathBuf,
}

/// What lies in a place.
#[derive(Debug, Clone, Copy)]
pub struct Lying {
    /// When it was written, or last brought back.
    pub since: Timestamp,
    /// In bytes.
    pub size: u64,
}

/// What is ours beside a place.
#[derive(Debug, Default)]
pub struct Beside {
    /// What is hidden of it.
    pub hidden: Vec<Hidden>,
    /// Bytes that lay there, were found damaged and put aside.
    pub damaged: Vec<PutAside>,
}

impl Spot {
    /// What lies in the place now.
    pub fn lying(&self) -> io::Result<Option<Lying>> {
        let Some(metadata) = found(disk::metadata(&self.path))? else { return Ok(None) };
        let since = Timestamp::try_from(metadata.modified()?).unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(Some(Lying { since, size: metadata.len() }))
    }

    /// The same of something hidden.
    pub fn hidden_size(hidden: &Hidden) -> io::Result<u64> {
        Ok(found(disk::metadata(&hidden.path))?.map_or(0, |metadata| metadata.len()))
    }

    /// What is ours beside it.
    pub fn beside(&self) -> io::Result<Beside> {
        let directory = files::parent_of(&self.path)?;
        let names = entries(directory)?;
        let hidden = names.iter().filter_map(|name| Hidden::parse(directory, name)).collect();
        let damaged = names.iter().filter_map(|name| PutAside::parse(directory, name)).collect();
        Ok(Beside { hidden, damaged })
    }

    /// Hides it. Tells whether it was there.
    pub fn hide(&self, run: &Run) -> io::Result<bool> {
        trash::hide(&self.path, run)
    }

    /// Renames what is hidden back, durably. What has meanwhile come to its place stays, and the hidden one goes.
    pub fn put_back(&self, hidden: &Hidden) -> io::Result<()> {
        if trash::put_back(hidden, &self.path)? == Some(Placed::Taken) {
            self.unlink(hidden)?;
        }
        Ok(())
    }

    /// Unlinks what is hidden. Tells whether it was there. A crash may undo it, which does no harm.
    pub fn unlink(&self, hidden: &Hidden) -> io::Result<bool> {
        Ok(found(disk::unlink(&hidden.path))?.is_some())
    }

    /// The same, and no crash undoes it.
    pub fn unlink_durably(&self, hidden: &Hidden) -> io::Result<bool> {
        files::remove(&hidden.path)
    }

    /// Removes the directory of a blob or link, and the one above it, if there is nothing in them any more. Who comes to
    /// write there meanwhile makes them again.
    pub fn remove_empty(&self) {
        let above = self.path.ancestors().skip(1).take(2);
        // Not empty, or gone: then there is nothing to do.
        let _ = above.map(disk::remove_dir).find(Result::is_err);
    }
}

impl Storage {
    /// Takes the collector's lock. `None`: another one runs.
    pub fn try_collector_lock(&self) -> io::Result<Option<Lock>> {
        Lock::try_exclusive(&self.layout().collector_lock())
    }

    /// Where the bytes of `content` lie.
    pub fn blob_spot(&self, content: &Digest) -> Spot {
        Spot { path: self.layout().blob(content) }
    }

    /// Visits the places of all blobs, whether anything lies there or is hidden: some thousandths of them at a time.
    pub fn visit_blobs<E: From<io::Error>>(
        &self,
        mut visit: impl FnMut(&mut dyn Iterator<Item = (Digest, Spot)>) -> Result<(), E>,
    ) -> Result<(), E> {
        let blobs = self.layout().blobs();
        for algorithm in entries(&blobs)? {
            let algorithm_directory = blobs.join(&algorithm);
            for fan_out in entries(&algorithm_directory)? {
                let names = entries(&algorithm_directory.join(fan_out))?.into_iter();
                let digests = names.filter_map(|hex| Digest::parse(&format!("{algorithm}:{hex}")).ok());
                visit(&mut spots(digests, |digest| self.layout().blob(digest)))?;
            }
        }
        Ok(())
    }

    /// Every place of a manifest's link in the repository.
    pub fn revision_spots(&self, lies: &Lies) -> io::Result<impl Iterator<Item = (Digest, Spot)>> {
        let paths = self.paths(lies);
        Ok(spots(digests(&paths.revisions())?, move |digest| paths.revision_link(digest)))
    }

    /// Every place of a blob's link in the repository.
    pub fn layer_spots(&self, lies: &Lies) -> io::Result<impl Iterator<Item = (Digest, Spot)>> {
        let paths = self.paths(lies);
        Ok(spots(digests(&paths.layers())?, move |digest| paths.layer_link(digest)))
    }

    /// What the repository has as manifest `digest`: once for each link, hidden or not.
    pub fn revision_meanings(&self, lies: &Lies, digest: &Digest) -> io::Result<Vec<Digest>> {
        link_meanings(&self.paths(lies).revision_link(digest))
    }

    /// What the repository's links, hidden or not, say that `digest` is: nearly always `digest` itself, or nothing.
    pub fn meanings(&self, lies: &Lies, digest: &Digest) -> io::Result<Vec<Digest>> {
        let paths = self.paths(lies);
        let mut meanings = link_meanings(&paths.layer_link(digest))?;
        meanings.extend(link_meanings(&paths.revision_link(digest))?);
        Ok(meanings)
    }

    /// Every manifest that a tag of the repository points at.
    pub fn tagged(&self, lies: &Lies) -> io::Result<Vec<Digest>> {
        let paths = self.paths(lies);
        let mut tagged = Vec::new();
        for tag in entries(&paths.tags())? {
            tagged.extend(read_link_blocking(&paths.tag_current(&tag))?);
        }
        Ok(tagged)
    }

    /// Every manifest that a tag of the repository has pointed at since `since`.
    pub fn tagged_since(&self, lies: &Lies, since: Timestamp) -> io::Result<Vec<Digest>> {
        let paths = self.paths(lies);
        let mut tagged = Vec::new();
        for tag in entries(&paths.tags())? {
            let index = paths.tag_index(&tag);
            for (digest, spot) in spots(digests(&index)?, |digest| super::layout::link_below(&index, digest)) {
                if spot.lying()?.is_some_and(|link| link.since >= since) {
                    tagged.push(digest);
                }
            }
        }
        Ok(tagged)
    }

    /// Removes tags that were put away before `before`. Tells how many.
    pub fn remove_put_away_tags(&self, before: Timestamp) -> io::Result<u64> {
        let mut removed = 0;
        for id in entries(&self.layout().all_put_away())? {
            let tags = self.layout().put_away_tags(&id);
            for tag in entries(&tags)? {
                let tag = tags.join(tag);
                // A rename leaves the time of the content and sets that of the inode.
                let Some(metadata) = found(disk::metadata(&tag))? else { continue };
                if std::os::unix::fs::MetadataExt::ctime(&metadata) < before.as_second() {
                    found(files::remove_tree(&tag))?;
                    removed += 1;
                }
            }
            Spot { path: tags.join("tag") }.remove_empty();
        }
        Ok(removed)
    }

    fn paths(&self, lies: &Lies) -> RepositoryPaths {
        match lies {
            Lies::Under(name) => self.layout().repository_of_peer(name),
            Lies::PutAway(id) => self.layout().put_away(id),
        }
    }
}

/// What a link says. Hidden ones first: who brings one back moves it from there to its place.
fn link_meanings(link: &Path) -> io::Result<Vec<Digest>> {
    let mut meanings = Vec::new();
    for hidden in trash::hidden(link)? {
        meanings.extend(read_link_blocking(&hidden.path)?);
    }
    meanings.extend(read_link_blocking(link)?);
    Ok(meanings)
}

/// The paths are made one after the other: those of a hundred thousand links at once would be memory for nothing.
fn spots(
    digests: impl IntoIterator<Item = Digest>,
    link: impl Fn(&Digest) -> PathBuf,
) -> impl Iterator<Item = (Digest, Spot)> {
    digests.into_iter().map(move |digest| {
        let path = link(&digest);
        (digest, Spot { path })
    })
}
