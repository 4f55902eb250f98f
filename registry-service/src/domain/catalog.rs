//! Listing repositories: the index knows who may see which.

use super::Registry;
use super::refusal::Refusal;
use super::tags::Page;
use shared::RepositoryName;
use shared::internal::CatalogRequest;

impl Registry {
    /// The first `limit` repositories after `after` that `subject` may see.
    pub async fn catalog(
        &self,
        subject: String,
        limit: usize,
        after: Option<String>,
    ) -> Result<Page<RepositoryName>, Refusal> {
        if limit == 0 {
            return Ok(Page { items: Vec::new(), more: false });
        }
        let request = CatalogRequest { subject, limit: u32::try_from(limit).unwrap_or(u32::MAX), after };
        let answer = self.index().catalog(&request).await?;
        Ok(Page { items: answer.repositories, more: answer.more })
    }
}
