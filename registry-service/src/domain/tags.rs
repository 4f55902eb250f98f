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
        let page = self.storage().tag_page(&repository.name, after, limit).await?;
        let (items, more) = page.ok_or_else(|| Refusal::RepositoryUnknown(repository.name.clone()))?;
        Ok(Page { items, more })
    }
}
