//! Pushing a manifest, with its tags.

use super::admission::Permit;
use super::refusal::Refusal;
use super::under_intents::Plan;
use super::{Registry, Repository};
use crate::model::manifest::{MAX_MANIFEST_BYTES, Manifest};
use crate::model::referrer::Referrer;
use crate::store::Storage;
use crate::store::hashing::digest_of;
use bytes::Bytes;
use shared::internal::{Change, ManifestState, TagState};
use shared::{Algorithm, Digest, Reference, Tag};
use std::collections::BTreeSet;
use std::io;
use tracing::Instrument;

/// Tags that one push may set: each is an intent and two links, synced.
const MAX_TAGS: usize = 50;

/// What a push names: a tag, or a digest and perhaps tags for it.
pub struct Destination {
    /// The last part of the address.
    pub reference: Reference,
    /// Further tags, which only go with a digest.
    pub tags: Vec<Tag>,
}

/// What a push made visible.
pub struct Pushed {
    /// The manifest, by the algorithm that was asked for.
    pub digest: Digest,
    /// What it is about, if it is about another manifest.
    pub subject: Option<Digest>,
}

impl Registry {
    /// Stores `bytes` as the manifest that `destination` means from now on. When this returns, it is durable, and the
    /// index knows.
    pub async fn put_manifest(
        &self,
        permit: &Permit,
        destination: Destination,
        content_type: Option<&str>,
        bytes: Bytes,
    ) -> Result<Pushed, Refusal> {
        if bytes.len() > MAX_MANIFEST_BYTES {
            return Err(Refusal::ManifestTooLarge(MAX_MANIFEST_BYTES));
        }
        let manifest = Manifest::parse(&bytes, content_type)?;
        let (digest, tags) = destination.resolve(&bytes)?;
        let referrer = Referrer::read(&digest, &bytes);
        let (repository, subject) = (permit.repository.clone(), permit.subject.clone());
        let push = Push { repository, subject, manifest, digest, tags, referrer };
        let pushed =
            Pushed { digest: push.digest.clone(), subject: push.referrer.as_ref().map(|(about, _)| about.clone()) };
        let registry = self.clone();
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

impl Destination {
    /// The digest to store `bytes` under, and every tag that will point at it.
    fn resolve(self, bytes: &[u8]) -> Result<(Digest, Vec<Tag>), Refusal> {
        match self.reference {
            Reference::Tag(_) if !self.tags.is_empty() => Err(Refusal::TagTwice),
            Reference::Tag(tag) => Ok((digest_of(Algorithm::Sha256, bytes), vec![tag])),
            Reference::Digest(_) if self.tags.len() > MAX_TAGS => Err(Refusal::TooManyTags(MAX_TAGS)),
            Reference::Digest(claimed) => {
                let actual = digest_of(claimed.algorithm(), bytes);
                if actual == claimed {
                    Ok((claimed, self.tags))
                } else {
                    Err(Refusal::DigestMismatch { claimed, actual })
                }
            }
        }
    }
}

#[derive(Clone)]
struct Push {
    repository: Repository,
    subject: String,
    manifest: Manifest,
    digest: Digest,
    tags: Vec<Tag>,
    /// What it is about, and its entry there.
    referrer: Option<(Digest, Referrer)>,
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
        if let Some((about, referrer)) = &self.referrer {
            storage.add_referrer(name, about, referrer)?;
        }
        self.tags.iter().try_for_each(|tag| storage.point_tag(name, tag, &self.digest))
    }
}
