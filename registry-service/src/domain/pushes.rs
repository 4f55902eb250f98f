//! Pushing a manifest, with its tags.

use super::admission::Permit;
use super::refusal::Refusal;
use super::under_intents::Plan;
use super::{Registry, Repository};
use crate::model::manifest::{MAX_MANIFEST_BYTES, Manifest, ManifestError};
use crate::model::referrer::Referrer;
use crate::model::stored_manifest::named_digests;
use crate::store::hashing::digest_of;
use crate::store::{RepositoryLock, Storage};
use bytes::Bytes;
use shared::internal::{Change, ManifestState, TagState};
use shared::{Algorithm, Digest, Reference, RepositoryName, Tag};
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
        // What it needs is later read from it as from any stored manifest; one that cannot be read so is not stored.
        if named_digests(&bytes).is_none() {
            return Err(ManifestError::Shape("the manifest's JSON is nested too deeply; 100 levels are allowed").into());
        }
        let (digest, tags) = destination.resolve(&bytes)?;
        let referrer = Referrer::read(&digest, &bytes);
        let (repository, subject) = (permit.repository.clone(), permit.subject.clone());
        let push = Push { repository, subject, manifest, bytes, digest, tags, referrer };
        let pushed =
            Pushed { digest: push.digest.clone(), subject: push.referrer.as_ref().map(|(about, _)| about.clone()) };
        let registry = self.clone();
        let task = async move { registry.publish(push).await };
        self.parts.runtime.spawn(task.in_current_span()).await.map_err(io::Error::other)??;
        Ok(pushed)
    }

    async fn publish(&self, push: Push) -> Result<(), Refusal> {
        let lock = self.share(&push.repository).await?;
        let (storing, guard) = (push.clone(), lock.clone());
        self.storage()
            .run(move |storage| {
                let _guard = guard;
                storage.store_blob(&storing.digest, &storing.bytes)
            })
            .await?;
        let plan = push.plan();
        let (looking, making, held) = (push.clone(), push, lock.clone());
        self.change(lock, plan, move |storage| looking.look(storage, &held), move |storage| making.make(storage)).await
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
    bytes: Bytes,
    digest: Digest,
    tags: Vec<Tag>,
    /// What it is about, and its entry there.
    referrer: Option<(Digest, Referrer)>,
}

impl Push {
    fn plan(&self) -> Plan {
        let record = self.manifest.record(self.bytes.len() as u64);
        let point = |tag: &Tag| TagState { tag: tag.clone(), digest: Some(self.digest.clone()) };
        Plan {
            repository: self.repository.clone(),
            subject: self.subject.clone(),
            manifest: self.digest.clone(),
            change: Change::Put { manifest: self.digest.clone(), tags: self.tags.clone() },
            manifests: vec![ManifestState { digest: self.digest.clone(), record: Some(record) }],
            tags: self.tags.iter().map(point).collect(),
        }
    }

    /// Everything the manifest needs is in the repository, by what storage says now; what is hidden is brought back.
    ///
    /// Its own bytes come first: the intent keeps nothing as long as they are nowhere, and a collection may have taken
    /// them before it was published.
    fn look(&self, storage: &Storage, lock: &RepositoryLock) -> Result<(), Refusal> {
        storage.need_name(&self.repository.name)?;
        if !storage.need_blob(&self.digest)? {
            storage.store_blob(&self.digest, &self.bytes)?;
        }
        let missing = bring_needs(storage, &self.repository.name, lock, &self.manifest, &mut BTreeSet::new())?;
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

/// Puts everything `manifest` needs in its place, children before parents; what is nowhere is returned. `seen` are
/// children that were come to before: an index may name one twice, and through others.
fn bring_needs(
    storage: &Storage,
    name: &RepositoryName,
    lock: &RepositoryLock,
    manifest: &Manifest,
    seen: &mut BTreeSet<Digest>,
) -> io::Result<BTreeSet<Digest>> {
    let mut missing = BTreeSet::new();
    for (digest, is_child) in manifest.needs() {
        // An index may list blobs as well: build caches do.
        let there = is_child && (!seen.insert(digest.clone()) || bring_child(storage, name, lock, digest, seen)?)
            || storage.need_layer(name, digest, lock)?.is_some();
        if !there {
            missing.insert(digest.clone());
        }
    }
    Ok(missing)
}

/// Puts a manifest in its place, after all it needs. `false`: it is nowhere.
fn bring_child(
    storage: &Storage,
    name: &RepositoryName,
    lock: &RepositoryLock,
    digest: &Digest,
    seen: &mut BTreeSet<Digest>,
) -> io::Result<bool> {
    let Some(content) = storage.revision_now(name, digest)? else { return Ok(false) };
    // What lies in place keeps all it needs from the collector; only of a hidden one it has to be made sure.
    if !storage.is_revision_in_place(name, digest)? {
        let Some(bytes) = storage.read_blob(&content)?.good() else { return Ok(false) };
        let Ok(manifest) = Manifest::parse(&bytes, None) else { return Ok(false) };
        if !bring_needs(storage, name, lock, &manifest, seen)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(storage.need_blob(&content)? && storage.need_revision(name, digest, lock)?)
}
