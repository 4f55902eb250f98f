//! Deleting a manifest or a tag. Blobs stay for the collector.

use super::admission::Permit;
use super::refusal::{Deletable, Holder, Refusal};
use super::under_intents::Plan;
use super::{Registry, Repository};
use crate::model::stored_manifest::named_digests;
use crate::store::{RepositoryLock, Storage, WholeBlob};
use shared::internal::{Change, ManifestState, TagState};
use shared::{Digest, Reference, RepositoryName, Tag};
use std::collections::BTreeSet;
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
        let Some(manifest) = self.storage().tag(&repository.name, &tag).await? else {
            // Who was told before that deleting it failed learns here that it is gone, so that has to last.
            let (name, gone) = (repository.name.clone(), tag.clone());
            self.storage().run(move |storage| storage.make_tag_durable(&name, &gone)).await?;
            return Err(Refusal::ManifestUnknown(tag.to_string()));
        };
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
                    storage.make_revision_durable(&name, &wanted)?;
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
            // Those too that an earlier attempt removed, and was stopped before it lasted.
            storage.make_removed_tags_durable(&repository.name)?;
            if let Some(Some((subject, _))) = storage.read_referrer(&repository.name, &digest)? {
                storage.remove_referrer(&repository.name, &subject, &digest)?;
            }
            storage.unlink_revision(&repository.name, &digest).map(drop)
        };
        self.change(lock, plan, |_| Ok(()), make).await
    }
}

/// Who has `wanted` as a part, or may have. Being its subject is not being its part.
pub(super) fn holder_of(storage: &Storage, name: &RepositoryName, wanted: &Digest) -> io::Result<Option<Holder>> {
    let own = storage.revision_now(name, wanted)?;
    let mut damaged = Vec::new();
    for revision in storage.revisions(name)? {
        if revision == *wanted || own.as_ref() == Some(&revision) {
            continue;
        }
        match named_by(storage, &revision)? {
            Some(named) if named.contains(wanted) => return Ok(Some(Holder::Whole(revision))),
            Some(_) => {}
            None => damaged.push(revision),
        }
    }
    let below = match own {
        Some(content) if !damaged.is_empty() => manifests_below(storage, name, &content)?,
        _ => Some(BTreeSet::new()),
    };
    // Of two of which nothing is known each would hold the other for ever.
    let Some(below) = below else { return Ok(None) };
    // And no part of a whole has that whole as a part.
    Ok(damaged.into_iter().find(|manifest| !below.contains(manifest)).map(Holder::Damaged))
}

/// The manifests of the repository that the one with these bytes has as parts, and those that they have; `None` if it is
/// damaged itself.
fn manifests_below(storage: &Storage, name: &RepositoryName, whole: &Digest) -> io::Result<Option<BTreeSet<Digest>>> {
    let Some(parts) = named_by(storage, whole)? else { return Ok(None) };
    let (mut below, mut left) = (BTreeSet::new(), Vec::from_iter(parts));
    while let Some(part) = left.pop() {
        let Some(content) = storage.revision_now(name, &part)? else { continue };
        if !below.contains(&content) {
            left.extend(named_by(storage, &content)?.unwrap_or_default());
            below.insert(content);
        }
    }
    Ok(Some(below))
}

/// What the manifest with these bytes names; `None` if that cannot be known: they are damaged.
fn named_by(storage: &Storage, content: &Digest) -> io::Result<Option<BTreeSet<Digest>>> {
    Ok(match storage.read_blob(content)? {
        WholeBlob::Good(bytes) => named_digests(&bytes),
        WholeBlob::Damaged | WholeBlob::Unreadable(_) | WholeBlob::Quarantined => None,
        WholeBlob::Nowhere => Some(BTreeSet::new()),
    })
}
