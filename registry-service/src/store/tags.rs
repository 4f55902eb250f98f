//! Tags: movable links to manifests.

use super::cached_read::{Stamp, read_link_blocking, stamp_blocking};
use super::queues::{Mode, Queue};
use super::{Storage, directories, disk, files, found};
use moka::sync::Cache;
use shared::{Digest, RepositoryName, Tag};
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use uuid::Uuid;

/// Tags remembered, of all repositories together; some 60 bytes each.
const REMEMBERED: u64 = 500_000;

/// The tags of repositories, each as long as the directory's stamp is the same, and tells that it is.
pub(super) struct Listings(Cache<RepositoryName, Arc<Listing>>);

impl Listings {
    pub fn new() -> Self {
        let weigh = |_: &RepositoryName, listing: &Arc<Listing>| {
            u32::try_from(listing.entries.len()).unwrap_or(u32::MAX).saturating_add(1)
        };
        Self(Cache::builder().max_capacity(REMEMBERED).weigher(weigh).build())
    }
}

/// What lies in the directory of tags, in byte order.
#[derive(Debug)]
struct Listing {
    stamp: Stamp,
    /// Whether a directory with this stamp holds nothing else.
    is_settled: bool,
    /// Before it was read.
    begun: Instant,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    tag: Tag,
    /// Set when its link was found: without one it is no tag.
    has_link: OnceLock<()>,
}

/// Some tags of a repository, in byte order.
#[derive(Debug)]
pub struct TagPage {
    listing: Arc<Listing>,
    /// Where they stand in it.
    positions: Vec<usize>,
    /// Whether more follow.
    pub more: bool,
}

impl TagPage {
    /// The tags.
    pub fn tags(&self) -> impl DoubleEndedIterator<Item = &Tag> {
        self.positions.iter().filter_map(|position| self.listing.entries.get(*position)).map(|entry| &entry.tag)
    }
}

impl Listing {
    /// The first `limit` tags after `after`. `look` says whether an entry has a link.
    fn page<E>(
        self: Arc<Self>,
        after: Option<&str>,
        limit: usize,
        look: impl Fn(&Entry) -> Result<bool, E>,
    ) -> Result<TagPage, E> {
        let begin = after.map_or(0, |after| self.entries.partition_point(|entry| entry.tag.as_str() <= after));
        let (mut positions, mut more) = (Vec::new(), false);
        for (position, entry) in self.entries.iter().enumerate().skip(begin) {
            if !look(entry)? {
                continue;
            }
            if positions.len() == limit {
                more = limit > 0;
                break;
            }
            positions.push(position);
        }
        Ok(TagPage { listing: self, positions, more })
    }
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
        if found(directories::in_directory(files::parent_of(&to)?, || disk::rename(&from, &to)))?.is_none() {
            return Ok(false);
        }
        // That it has gone has to last. Where it has gone nobody looks: it lies there to be removed.
        files::sync_dir(files::parent_of(&from)?)?;
        if repository_id.is_none() {
            files::remove_tree(&to)?;
        }
        Ok(true)
    }

    /// Puts away an entry without a link, which a writer left that was stopped: to peers it is a tag. The caller holds the
    /// tag's intent.
    pub fn remove_unlinked_tag(&self, name: &RepositoryName, repository_id: Option<&str>, tag: &Tag) -> io::Result<()> {
        if files::exists(&self.layout().tag(name, tag))? && !files::is_file(&self.layout().tag_current(name, tag))? {
            self.remove_tag(name, repository_id, tag)?;
        }
        Ok(())
    }

    /// Makes sure that the tag lasts as it is, or that its being gone does.
    pub fn make_tag_durable(&self, name: &RepositoryName, tag: &Tag) -> io::Result<()> {
        files::make_durable(&self.layout().tag_current(name, tag))
    }

    /// Makes sure that every tag of `name` that is gone stays so.
    pub fn make_removed_tags_durable(&self, name: &RepositoryName) -> io::Result<()> {
        found(files::sync_dir(&self.layout().tags(name))).map(drop)
    }

    /// The first `limit` tags of `name` after `after`; `None` if `name` holds nothing.
    pub async fn tag_page(
        &self,
        name: &RepositoryName,
        after: Option<String>,
        limit: usize,
    ) -> io::Result<Option<TagPage>> {
        let asked = Instant::now();
        if let Some(listing) = self.inner.listings.0.get(name).filter(|listing| listing.is_settled)
            && self.stamp_cached(&self.layout().tags(name)).is_ok_and(|stamp| stamp == listing.stamp)
            && let Ok(page) =
                listing.page(after.as_deref(), limit, |entry| entry.has_link.get().map(|()| true).ok_or(()))
        {
            return Ok(Some(page));
        }
        // One reads the directory for all who wait for it: a long list once for each of them would be much memory.
        let turn = self.queues().turn(Queue::Tags(name.clone()), Mode::Exclusive).await;
        let turn = turn.ok_or(io::ErrorKind::ResourceBusy)?;
        let name = name.clone();
        self.run(move |storage| {
            let listing = storage.listing(&name, asked)?;
            drop(turn);
            let Some(listing) = listing else { return Ok(None) };
            listing.page(after.as_deref(), limit, |entry| storage.is_tag(&name, entry)).map(Some)
        })
        .await
    }

    /// Every tag of `name`, in byte order, with where it points.
    pub fn tags_now(&self, name: &RepositoryName) -> io::Result<Vec<(Tag, Digest)>> {
        let mut tags = Vec::new();
        for entry in self.listing(name, Instant::now())?.iter().flat_map(|listing| &listing.entries) {
            tags.extend(self.tag_now(name, &entry.tag)?.map(|digest| (entry.tag.clone(), digest)));
        }
        Ok(tags)
    }

    /// Every tag of `name` that points at `digest`.
    pub fn tags_of(&self, name: &RepositoryName, digest: &Digest) -> io::Result<Vec<Tag>> {
        let tags = self.tags_now(name)?.into_iter();
        Ok(tags.filter(|(_, points_at)| points_at == digest).map(|(tag, _)| tag).collect())
    }

    /// What lies in the directory of tags, or lay there at some moment after `asked`; remembered as long as the directory
    /// stays the same: a tag that comes or goes changes it, one that moves does not matter here. `None` if `name` holds
    /// nothing.
    fn listing(&self, name: &RepositoryName, asked: Instant) -> io::Result<Option<Arc<Listing>>> {
        let begun = Instant::now();
        let directory = self.layout().tags(name);
        let Some(stamp) = stamp_blocking(&directory)? else {
            let is_repository = files::exists(&self.layout().manifests(name))?;
            let empty = || Listing { stamp: Stamp::default(), is_settled: false, begun, entries: Vec::new() };
            return Ok(is_repository.then(|| Arc::new(empty())));
        };
        let serves = |listing: &Arc<Listing>| listing.begun >= asked || listing.is_settled && listing.stamp == stamp;
        if let Some(listing) = self.inner.listings.0.get(name).filter(serves) {
            return Ok(Some(listing));
        }
        let mut tags = Vec::new();
        for entry in found(disk::read_dir(&directory))?.into_iter().flatten() {
            tags.extend(Tag::parse(&entry?.file_name().to_string_lossy()));
        }
        tags.sort_unstable();
        let entries = tags.into_iter().map(|tag| Entry { tag, has_link: OnceLock::new() }).collect();
        let listing = Arc::new(Listing { stamp, is_settled: stamp.is_settled(), begun, entries });
        self.inner.listings.0.insert(name.clone(), Arc::clone(&listing));
        Ok(Some(listing))
    }

    /// Looking at each link is what costs, so it is done for the entries of a page, and once for each; and a link as long
    /// as one is not opened for it.
    fn is_tag(&self, name: &RepositoryName, entry: &Entry) -> io::Result<bool> {
        if entry.has_link.get().is_none() {
            let is_link = self.is_long_as_a_link(&self.layout().tag_current(name, &entry.tag));
            if !is_link && self.tag_now(name, &entry.tag)?.is_none() {
                return Ok(false);
            }
            // Somebody else has perhaps set it meanwhile, to the same.
            let _ = entry.has_link.set(());
        }
        Ok(true)
    }
}
