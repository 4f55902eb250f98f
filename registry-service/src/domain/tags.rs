//! Listing tags.

use super::refusal::Refusal;
use super::{Registry, Repository};
use shared::Tag;

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
        let tags = self.storage().run(move |storage| storage.tag_list(&name)).await?;
        let tags = tags.ok_or_else(|| Refusal::RepositoryUnknown(repository.name.clone()))?;
        let begin = after.map_or(0, |after| tags.partition_point(|tag| tag.as_str() <= after.as_str()));
        let rest = tags.get(begin..).unwrap_or_default();
        let items = rest.iter().take(limit).cloned().collect();
        Ok(Page { items, more: limit > 0 && rest.len() > limit })
    }
}
