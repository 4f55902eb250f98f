//! Tags: movable links to manifests.

use super::cached_read::read_link_blocking;
use super::intents::entries;
use super::{Storage, files};
use shared::{Digest, RepositoryName, Tag};
use std::io;
use uuid::Uuid;

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
    pub fn remove_tag(&self, name: &RepositoryName, repository_id: &str, tag: &Tag) -> io::Result<bool> {
        let from = self.layout().tag(name, tag);
        let to = self.layout().deleted_tag(repository_id, tag, &Uuid::new_v4().to_string());
        files::create_dirs(files::parent_of(&to)?)?;
        match files::rename(&from, &to) {
            Ok(()) => files::sync_dir(files::parent_of(&from)?).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The entries of the directory of tags, in byte order; `None` if `name` holds nothing. An entry may turn out to
    /// have no link, when somebody was stopped while making it.
    pub fn tag_entries(&self, name: &RepositoryName) -> io::Result<Option<Vec<Tag>>> {
        if !self.layout().manifests(name).is_dir() {
            return Ok(None);
        }
        let names = entries(&self.layout().tags(name))?;
        let mut tags: Vec<Tag> = names.iter().filter_map(|tag| Tag::parse(tag).ok()).collect();
        tags.sort_unstable();
        Ok(Some(tags))
    }

    /// Every tag of `name` that points at `digest`.
    pub fn tags_of(&self, name: &RepositoryName, digest: &Digest) -> io::Result<Vec<Tag>> {
        let mut pointing = Vec::new();
        for tag in self.tag_entries(name)?.unwrap_or_default() {
            if self.tag_now(name, &tag)?.as_ref() == Some(digest) {
                pointing.push(tag);
            }
        }
        Ok(pointing)
    }
}
