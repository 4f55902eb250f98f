//! Reading manifests.

use super::refusal::Refusal;
use super::{Registry, Repository};
use crate::model::stored_manifest::stored_media_type;
use crate::store::hashing::digest_of;
use bytes::Bytes;
use moka::sync::Cache;
use shared::{Digest, Reference};
use std::io;
use std::sync::Arc;

/// Bytes of manifests kept in memory, by digest. Whether they may be read is looked up in storage each time.
const CACHED_BYTES: u64 = 64 * 1024 * 1024;

/// A manifest's content.
#[derive(Debug)]
pub struct StoredManifest {
    /// What it says it is.
    pub media_type: String,
    /// Exactly the bytes that were pushed.
    pub bytes: Bytes,
}

/// Manifests by the digest of their content.
pub(super) struct ManifestCache(Cache<Digest, Arc<StoredManifest>>);

impl ManifestCache {
    pub fn new() -> Self {
        let weigh =
            |_: &Digest, manifest: &Arc<StoredManifest>| u32::try_from(manifest.bytes.len()).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(CACHED_BYTES).weigher(weigh).build())
    }
}

impl Registry {
    /// The manifest that `reference` means in `repository` now, with the digest it is asked for by, or that the tag
    /// points at.
    pub async fn manifest(
        &self,
        repository: &Repository,
        reference: &Reference,
    ) -> Result<(Digest, Arc<StoredManifest>), Refusal> {
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
        if let Some(manifest) = self.parts.manifests.0.get(&content) {
            return Ok((digest, manifest));
        }
        let manifest = Arc::new(self.load_manifest(&content).await?.ok_or_else(unknown)?);
        self.parts.manifests.0.insert(content, Arc::clone(&manifest));
        Ok((digest, manifest))
    }

    async fn load_manifest(&self, content: &Digest) -> Result<Option<StoredManifest>, Refusal> {
        let wanted = content.clone();
        let Some(bytes) = self.storage().run(move |storage| storage.read_blob(&wanted)).await? else {
            return Ok(None);
        };
        if digest_of(content.algorithm(), &bytes) != *content {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("manifest {content} is damaged")).into());
        }
        Ok(Some(StoredManifest { media_type: stored_media_type(&bytes), bytes: bytes.into() }))
    }
}
