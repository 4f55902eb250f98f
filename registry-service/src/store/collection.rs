//! What the collector walks over: every blob, and every repository with its links, wherever it lies.
//!
//! Must not decide what goes: `domain/collector/` does. Whatever a peer may have written is walked over too, under names
//! that this registry would not give.

use super::cached_read::read_link_blocking;
use super::files::{self, Placed};
use super::intents::{digests, entries};
use super::layout::{QUARANTINED, RepositoryPaths};
use super::locks::Lock;
use super::trash::{self, Hidden, Run};
use super::{Storage, disk, found};
use jiff::Timestamp;
use shared::{Digest, RepositoryName};
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

/// A repository as it lies in storage.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Lies {
    /// Under this name, which a peer may have given.
    Under(String),
    /// Put away under this id.
    PutAway(String),
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

    /// What is hidden of it.
    pub fn hidden(&self) -> io::Result<Vec<Hidden>> {
        trash::hidden(&self.path)
    }

    /// Whether bytes that should lie there were found damaged and renamed.
    pub fn is_quarantined(&self) -> io::Result<bool> {
        Ok(entries(files::parent_of(&self.path)?)?.iter().any(|name| name.starts_with(QUARANTINED)))
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

    /// Visits the place of every blob, whether anything lies there or is hidden.
    pub fn visit_blobs<E: From<io::Error>>(
        &self,
        mut visit: impl FnMut(&Digest, &Spot) -> Result<(), E>,
    ) -> Result<(), E> {
        let blobs = self.layout().blobs();
        for algorithm in entries(&blobs)? {
            let algorithm_directory = blobs.join(&algorithm);
            for fan_out in entries(&algorithm_directory)? {
                for hex in entries(&algorithm_directory.join(fan_out))? {
                    if let Ok(digest) = Digest::parse(&format!("{algorithm}:{hex}")) {
                        visit(&digest, &self.blob_spot(&digest))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Visits every repository: first those that are put away, then those that lie under a name, in the order of names.
    pub fn visit_repositories<E: From<io::Error>>(
        &self,
        mut visit: impl FnMut(&Lies) -> Result<(), E>,
    ) -> Result<(), E> {
        for id in entries(&self.layout().all_put_away())? {
            visit(&Lies::PutAway(id))?;
        }
        visit_names(&self.layout().repositories(), "", &mut |name| visit(&Lies::Under(name)))
    }

    /// Every place of a manifest's link in the repository.
    pub fn revision_spots(&self, lies: &Lies) -> io::Result<Vec<(Digest, Spot)>> {
        let paths = self.paths(lies);
        spots(&paths.revisions(), |digest| paths.revision_link(digest))
    }

    /// Every place of a blob's link in the repository.
    pub fn layer_spots(&self, lies: &Lies) -> io::Result<Vec<(Digest, Spot)>> {
        let paths = self.paths(lies);
        spots(&paths.layers(), |digest| paths.layer_link(digest))
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
            for (digest, spot) in spots(&index, |digest| super::layout::link_below(&index, digest))? {
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

impl Lies {
    /// Its name, if it lies under one that this registry could have given.
    pub fn name(&self) -> Option<RepositoryName> {
        match self {
            Self::Under(name) => RepositoryName::parse(name).ok(),
            Self::PutAway(_) => None,
        }
    }
}

impl std::fmt::Display for Lies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Under(name) => f.write_str(name),
            Self::PutAway(id) => write!(f, "(put away) {id}"),
        }
    }
}

/// The longest name, of any registry. Links of directories to each other could make it endless.
const LONGEST_NAME: usize = 255;

/// Names nest, and what belongs to a repository itself begins with `_`.
fn visit_names<E: From<io::Error>>(
    directory: &Path,
    name: &str,
    visit: &mut impl FnMut(String) -> Result<(), E>,
) -> Result<(), E> {
    let mut parts = entries(directory)?;
    parts.sort_unstable();
    if !name.is_empty() && parts.iter().any(|part| part == "_manifests" || part == "_layers") {
        visit(name.to_owned())?;
    }
    for part in parts.iter().filter(|part| !part.starts_with(['_', '.'])) {
        let name = if name.is_empty() { part.clone() } else { format!("{name}/{part}") };
        if name.len() <= LONGEST_NAME {
            visit_names(&directory.join(part), &name, visit)?;
        }
    }
    Ok(())
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

fn spots(root: &Path, link: impl Fn(&Digest) -> PathBuf) -> io::Result<Vec<(Digest, Spot)>> {
    let to_spot = |digest: Digest| {
        let path = link(&digest);
        (digest, Spot { path })
    };
    Ok(digests(root)?.into_iter().map(to_spot).collect())
}
