//! Reading manifests.

use super::contents::Content;
use super::refusal::Refusal;
use super::{Registry, Repository};
use shared::{Digest, Reference};
use std::sync::Arc;

impl Registry {
    /// The manifest that `reference` means in `repository` now, with the digest it is asked for by, or that the tag
    /// points at.
    pub async fn manifest(
        &self,
        repository: &Repository,
        reference: &Reference,
    ) -> Result<(Digest, Arc<Content>), Refusal> {
        let unknown = || Refusal::ManifestUnknown(reference.as_str().to_owned());
        let digest = match reference {
            Reference::Digest(digest) => digest.clone(),
            Reference::Tag(tag) => self.storage().tag(&repository.name, tag).await?.ok_or_else(unknown)?,
        };
        let mut content = self.storage().revision(&repository.name, &digest).await?;
        if content.is_none() {
            // A hidden manifest is still there; only who writes brings it back.
            let (name, digest) = (repository.name.clone(), digest.clone());
            content = self.storage().run(move |storage| storage.revision_now(&name, &digest)).await?;
        }
        let content = content.ok_or_else(unknown)?;
        let manifest = self.content(&content).await?.ok_or_else(unknown)?;
        manifest.note_sizes(self.storage());
        Ok((digest, manifest))
    }
}
