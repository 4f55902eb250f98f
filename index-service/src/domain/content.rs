//! Tags and manifests of repositories that one may read.

use super::Index;
use super::error::{Noun, Refusal};
use crate::model::content::{ManifestEntry, TagEntry};
use crate::model::{Page, Paged, Role, Subject};
use shared::{Digest, RepositoryName};

impl Index {
    /// A page of the tags of `name`.
    pub async fn tags(
        &self,
        subject: &Subject,
        name: &RepositoryName,
        page: &Page,
    ) -> Result<Paged<TagEntry>, Refusal> {
        let repository = self.repository_seen(subject, name, Role::Read).await?;
        Ok(self.database.tags(&repository.id, page).await?)
    }

    /// One manifest of `name`, with the checksums of everything it names.
    pub async fn manifest(
        &self,
        subject: &Subject,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<ManifestEntry, Refusal> {
        let repository = self.repository_seen(subject, name, Role::Read).await?;
        let manifest = self.database.manifest(&repository.id, digest).await?;
        manifest.ok_or_else(|| Refusal::not_found(Noun::Manifest, digest))
    }
}
