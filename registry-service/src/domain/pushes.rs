//! Pushing a manifest, with its tags.

use super::admission::Permit;
use super::refusal::Refusal;
use super::under_intents::Plan;
use super::{Registry, Repository};
use crate::model::manifest::{MAX_MANIFEST_BYTES, Manifest};
use crate::store::Storage;
use crate::store::hashing::digest_of;
use bytes::Bytes;
use shared::internal::{Change, ManifestState, TagState};
use shared::{Algorithm, Digest, Reference, Tag};
use std::collections::BTreeSet;
use std::io;
use tracing::Instrument;

impl Registry {
    /// Stores `bytes` as the manifest that `reference` means from now on. Returns its digest, by the algorithm that
    /// the reference asks for. When this returns, it is durable, and the index knows.
    pub async fn put_manifest(
        &self,
        permit: &Permit,
        reference: Reference,
        content_type: Option<&str>,
        bytes: Bytes,
    ) -> Result<Digest, Refusal> {
        if bytes.len() > MAX_MANIFEST_BYTES {
            return Err(Refusal::ManifestTooLarge(MAX_MANIFEST_BYTES));
        }
        let manifest = Manifest::parse(&bytes, content_type)?;
        let (digest, tags) = match reference {
            Reference::Tag(tag) => (digest_of(Algorithm::Sha256, &bytes), vec![tag]),
            Reference::Digest(claimed) => {
                let actual = digest_of(claimed.algorithm(), &bytes);
                if actual != claimed {
                    return Err(Refusal::DigestMismatch { claimed, actual });
                }
                (claimed, Vec::new())
            }
        };
        let push =
            Push { repository: permit.repository.clone(), subject: permit.subject.clone(), manifest, digest, tags };
        let (registry, pushed) = (self.clone(), push.digest.clone());
        let task = async move { registry.publish(push, bytes).await };
        self.parts.runtime.spawn(task.in_current_span()).await.map_err(io::Error::other)??;
        Ok(pushed)
    }

    async fn publish(&self, push: Push, bytes: Bytes) -> Result<(), Refusal> {
        let lock = self.share(&push.repository).await?;
        let (digest, size) = (push.digest.clone(), bytes.len() as u64);
        let guard = lock.clone();
        self.storage()
            .run(move |storage| {
                let _guard = guard;
                storage.store_blob(&digest, &bytes)
            })
            .await?;
        let plan = push.plan(size);
        let (looking, making) = (push.clone(), push);
        self.change(lock, plan, move |storage| looking.look(storage), move |storage| making.make(storage)).await
    }
}

#[derive(Clone)]
struct Push {
    repository: Repository,
    subject: String,
    manifest: Manifest,
    digest: Digest,
    tags: Vec<Tag>,
}

impl Push {
    fn plan(&self, size: u64) -> Plan {
        let point = |tag: &Tag| TagState { tag: tag.clone(), digest: Some(self.digest.clone()) };
        Plan {
            repository: self.repository.clone(),
            subject: self.subject.clone(),
            manifest: self.digest.clone(),
            change: Change::Put { manifest: self.digest.clone(), tags: self.tags.clone() },
            manifests: vec![ManifestState { digest: self.digest.clone(), record: Some(self.manifest.record(size)) }],
            tags: self.tags.iter().map(point).collect(),
        }
    }

    /// Everything the manifest needs is in the repository, by what storage says now.
    fn look(&self, storage: &Storage) -> Result<(), Refusal> {
        let name = &self.repository.name;
        let mut missing = BTreeSet::new();
        for (digest, is_child) in self.manifest.needs() {
            // An index may list blobs as well: build caches do.
            let there =
                is_child && storage.has_revision(name, digest)? || storage.layer_content(name, digest)?.is_some();
            if !there {
                missing.insert(digest.clone());
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(Refusal::ManifestBlobUnknown(missing.into_iter().collect())) }
    }

    fn make(&self, storage: &Storage) -> io::Result<()> {
        let name = &self.repository.name;
        storage.link_revision(name, &self.digest)?;
        self.tags.iter().try_for_each(|tag| storage.point_tag(name, tag, &self.digest))
    }
}
