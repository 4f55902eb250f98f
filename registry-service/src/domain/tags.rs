//! Listing tags.

use super::refusal::Refusal;
use super::{Registry, Repository};

pub use crate::store::TagPage;

impl Registry {
    /// The first `limit` tags after `after`, in byte order.
    pub async fn tags(&self, repository: &Repository, limit: usize, after: Option<String>) -> Result<TagPage, Refusal> {
        let page = self.storage().tag_page(&repository.name, after, limit).await?;
        page.ok_or_else(|| Refusal::RepositoryUnknown(repository.name.clone()))
    }
}
