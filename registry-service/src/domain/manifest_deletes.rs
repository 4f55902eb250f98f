//! Deleting a manifest or a tag. Blobs stay for the collector.

use super::admission::Permit;
use super::contents::parts_of;
use super::refusal::{Deletable, Refusal};
use super::under_intents::Plan;
use super::{Registry, Repository};
use crate::store::{RepositoryLock, Storage};
use shared::internal::{Change, ManifestState, TagState};
use shared::{Digest, Reference, RepositoryName, Tag};
use std::io;
use tracing::Instrument;

impl Registry {
    /// Deletes what `reference` means: a tag alone, or a manifest with every tag that points at it.
    pub async fn delete_manifest(&self, permit: &Permit, reference: Reference) -> Result<(), Refusal> {
        self.require_deletes(Deletable::Manifest)?;
        let (registry, repository, subject) = (self.clone(), permit.repository.clone(), permit.subject.clone());
        let task = async move {
            let lock = registry.exclude(&repository).await?;
            match reference {
                Reference::Tag(tag) => registry.delete_tag(lock, repository, subject, tag).await,
                Reference::Digest(digest) => registry.delete_revision(lock, repository, subject, digest).await,
            }
        };
        self.parts.runtime.spawn(task.in_current_span()).await.map_err(io::Error::other)?
    }

    async fn delete_tag(
        &self,
        lock: RepositoryLock,
        repository: Repository,
        subject: String,
        tag: Tag,
    ) -> Result<(), Refusal> {
        let pointed_at = self.storage().tag(&repository.name, &tag).await?;
        let manifest = pointed_at.ok_or_else(|| Refusal::ManifestUnknown(tag.to_string()))?;
        let plan = Plan {
            repository: repository.clone(),
            subject,
            manifest,
            change: Change::DeleteTag { tag: tag.clone() },
            manifests: Vec::new(),
            tags: vec![TagState { tag: tag.clone(), digest: None }],
        };
        let make =
            move |storage: &Storage| storage.remove_tag(&repository.name, repository.id.as_deref(), &tag).map(drop);
        self.change(lock, plan, |_| Ok(()), make).await
    }

    async fn delete_revision(
        &self,
        lock: RepositoryLock,
        repository: Repository,
        subject: String,
        digest: Digest,
    ) -> Result<(), Refusal> {
        let (name, wanted) = (repository.name.clone(), digest.clone());
        let tags = self
            .storage()
            .run(move |storage| {
                if storage.revision_now(&name, &wanted)?.is_none() {
                    return Ok(Err(Refusal::ManifestUnknown(wanted.to_string())));
                }
                match holder_of(storage, &name, &wanted)? {
                    Some(holder) => Ok(Err(Refusal::InUse { kind: Deletable::Manifest, wanted, holder })),
                    None => storage.tags_of(&name, &wanted).map(Ok),
                }
            })
            .await??;
        let plan = Plan {
            repository: repository.clone(),
            subject,
            manifest: digest.clone(),
            change: Change::DeleteManifest { manifest: digest.clone() },
            manifests: vec![ManifestState { digest: digest.clone(), record: None }],
            tags: tags.iter().map(|tag| TagState { tag: tag.clone(), digest: None }).collect(),
        };
        // The reverse of the order in which it was made: what is visible always has what it needs.
        let make = move |storage: &Storage| {
            for tag in &tags {
                storage.remove_tag(&repository.name, repository.id.as_deref(), tag)?;
            }
            if let Some(Some((subject, _))) = storage.read_referrer(&repository.name, &digest)? {
                storage.remove_referrer(&repository.name, &subject, &digest)?;
            }
            storage.unlink_revision(&repository.name, &digest).map(drop)
        };
        self.change(lock, plan, |_| Ok(()), make).await
    }
}

/// A manifest of the repository that has `wanted` as a part. Being its subject is not being its part.
pub(super) fn holder_of(storage: &Storage, name: &RepositoryName, wanted: &Digest) -> io::Result<Option<Digest>> {
    for revision in storage.revisions(name)? {
        if revision == *wanted {
            continue;
        }
        let is_holder = match storage.read_blob(&revision)? {
            // One that cannot be read may name anything,
            Some(bytes) => parts_of(&revision, &bytes).is_none_or(|named| named.contains(wanted)),
            // and so may one whose bytes were put aside.
            None => !storage.blob_spot(&revision).beside()?.damaged.is_empty(),
        };
        if is_holder {
            return Ok(Some(revision));
        }
    }
    Ok(None)
}
