//! Tags: movable links to manifests.

use super::cached_read::read_link_blocking;
use super::intents::entries;
use super::{Storage, directories, disk, files, found};
use shared::{Digest, RepositoryName, Tag};
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use uuid::Uuid;

/// After this, a directory's time of change tells every later change apart.
const SETTLED: Duration = Duration::from_secs(2);

/// The tags of a repository when its directory was as old as this.
#[derive(Clone)]
pub(super) struct Listing {
    changed_at: SystemTime,
    tags: Arc<Vec<Tag>>,
}

impl Storage {
    /// Where the tag points; `None` if there is no such tag.
    pub async fn tag(&self, name: &RepositoryName, tag: &Tag) -> io::Result<Option<Digest>> {
        self.read_link(self.layout().tag_current(name, tag)).await
    }

    /// The same, on the blocking pool.
    pub fn tag_now(&self, name: &RepositoryName, tag: &Tag) -> io::Result<Option<Digest>> {
        read_link_blocking(&self.layout().tag_current(name, tag))
    }

    /// Points the tag at a manifest that is readable in `name` already.
    pub fn point_tag(&self, name: &RepositoryName, tag: &Tag, digest: &Digest) -> io::Result<()> {
        files::replace(&self.layout().tag_index(name, tag, digest), digest.as_str().as_bytes())?;
        files::replace(&self.layout().tag_current(name, tag), digest.as_str().as_bytes())
    }

    /// Puts the tag away, whole: to peers every entry in the directory of tags is a tag. Tells whether it was there.
    /// What is put away of a repository without an id is nobody's to restore, and is removed at once.
    pub fn remove_tag(&self, name: &RepositoryName, repository_id: Option<&str>, tag: &Tag) -> io::Result<bool> {
        let from = self.layout().tag(name, tag);
        let to = self.layout().deleted_tag(repository_id, tag, &Uuid::new_v4().to_string());
        if found(directories::in_directory(files::parent_of(&to)?, || files::rename(&from, &to)))?.is_none() {
            return Ok(false);
        }
        files::sync_dir(files::parent_of(&from)?)?;
        if repository_id.is_none() {
            files::remove_tree(&to)?;
        }
        Ok(true)
    }

    /// Every tag of `name`, in byte order; `None` if `name` holds nothing.
    ///
    /// Looking at each tag's link is what costs, so the list is remembered as long as the directory's time of change
    /// stays the same: a tag that comes or goes changes it, one that moves does not matter here.
    pub fn tag_list(&self, name: &RepositoryName) -> io::Result<Option<Arc<Vec<Tag>>>> {
        let Some(directory) = found(disk::metadata(&self.layout().tags(name)))? else {
            return Ok(files::exists(&self.layout().manifests(name))?.then(Arc::default));
        };
        let changed_at = directory.modified()?;
        if let Some(listing) = self.inner.listings.get(name).filter(|listing| listing.changed_at == changed_at) {
            return Ok(Some(listing.tags));
        }
        let mut entries: Vec<Tag> =
            entries(&self.layout().tags(name))?.iter().filter_map(|tag| Tag::parse(tag).ok()).collect();
        entries.sort_unstable();
        let mut tags = Vec::with_capacity(entries.len());
        for tag in &entries {
            if self.tag_now(name, tag)?.is_some() {
                tags.push(tag.clone());
            }
        }
        let is_whole = tags.len() == entries.len();
        let tags = Arc::new(tags);
        // Two changes within a tick of the clock have one time, so a recent one proves nothing; and an entry without a
        // link gets it without a change of the directory.
        if is_whole && changed_at.elapsed().is_ok_and(|age| age > SETTLED) {
            self.inner.listings.insert(name.clone(), Listing { changed_at, tags: Arc::clone(&tags) });
        }
        Ok(Some(tags))
    }

    /// Every tag of `name` that points at `digest`.
    pub fn tags_of(&self, name: &RepositoryName, digest: &Digest) -> io::Result<Vec<Tag>> {
        let mut pointing = Vec::new();
        for tag in self.tag_list(name)?.unwrap_or_default().iter() {
            if self.tag_now(name, tag)?.as_ref() == Some(digest) {
                pointing.push(tag.clone());
            }
        }
        Ok(pointing)
    }
}
