//! Listing tags.

use super::refusal::Refusal;
use super::{Registry, Repository};
use crate::store::Storage;
use shared::{RepositoryName, Tag};
use std::io;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Whether more follow.
    pub more: bool,
}

impl Registry {
    /// The first `limit` tags after `after`, in byte order.
    pub async fn tags(
        &self,
        repository: &Repository,
        limit: usize,
        after: Option<String>,
    ) -> Result<Page<Tag>, Refusal> {
        let name = repository.name.clone();
        let page = self.storage().run(move |storage| page(storage, &name, limit, after.as_deref())).await?;
        page.ok_or_else(|| Refusal::RepositoryUnknown(repository.name.clone()))
    }
}

fn page(storage: &Storage, name: &RepositoryName, limit: usize, after: Option<&str>) -> io::Result<Option<Page<Tag>>> {
    let Some(tags) = storage.tag_entries(name)? else { return Ok(None) };
    let begin = after.map_or(0, |after| tags.partition_point(|tag| tag.as_str() <= after));
    let mut page = Page { items: Vec::new(), more: false };
    for tag in tags.into_iter().skip(begin) {
        if storage.tag_now(name, &tag)?.is_none() {
            continue;
        }
        if page.items.len() == limit {
            page.more = limit > 0;
            break;
        }
        page.items.push(tag);
    }
    Ok(Some(page))
}
