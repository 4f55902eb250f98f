//! Comparing what storage holds with what an index was told, and telling it what is so. Each difference is repaired under
//! an intent of its own, by what storage holds at that moment: what was read before is only a hint.

use super::refusal::Refusal;
use super::settle::record;
use super::{Registry, Repository};
use crate::store::{IntentTarget, Lies, PutAway, Queue, Storage};
use shared::{Digest, RepositoryName, Tag};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use tokio::sync::mpsc;

/// Names that are found before somebody has looked at the first.
const AHEAD: usize = 64;

/// What an index was told of a repository.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Manifests that are there.
    pub manifests: BTreeSet<Digest>,
    /// Where tags point.
    pub tags: BTreeMap<Tag, Digest>,
}

/// Something that an index was told otherwise, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// A manifest, and whether storage has it.
    Manifest(Digest, bool),
    /// A tag, and where it points in storage.
    Tag(Tag, Option<Digest>),
}

impl Registry {
    /// Every repository that lies in storage with its id, found while it is asked for. A walk that fails ends with the
    /// error.
    pub fn repositories_found(&self) -> mpsc::Receiver<Result<(RepositoryName, Option<String>), Refusal>> {
        let (send, receive) = mpsc::channel(AHEAD);
        self.storage().start(move |storage| {
            let walked = storage.visit_in_place(&mut |lies| {
                let Some(name) = lies.name() else { return Ok(()) };
                let id = storage.repository_id_now(&name)?;
                send.blocking_send(Ok((name, id))).map_err(|_| io::Error::other("nobody listens any more"))
            });
            if let Err(error) = walked {
                // Whoever does not listen does not hear this either.
                let _ = send.blocking_send(Err(Refusal::Storage(error)));
            }
            Ok(())
        });
        receive
    }

    /// Says in storage which repository of the index lies under `name`. Returns what is said there now: another id is
    /// never replaced.
    pub async fn identify(&self, name: &RepositoryName, id: &str) -> Result<Option<String>, Refusal> {
        let (name, id) = (name.clone(), id.to_owned());
        Ok(self.storage().run(move |storage| storage.identify(&name, &id)).await?)
    }

    /// Where the index and storage differ on `repository`.
    pub async fn drift(&self, repository: &Repository, told: Told) -> Result<Vec<Drift>, Refusal> {
        let name = repository.name.clone();
        let drift = self.storage().run(move |storage| compare(storage, &name, told)).await?;
        self.storage().pause_task("compared").await;
        Ok(drift)
    }

    /// Every deleted repository that storage keeps, to be restored or purged, the latest first.
    pub async fn repositories_put_away(&self) -> Result<Vec<PutAway>, Refusal> {
        Ok(self.storage().run(Storage::repositories_put_away).await?)
    }

    /// Whether storage keeps the deleted repository `id` now.
    pub async fn is_put_away(&self, id: &str) -> Result<bool, Refusal> {
        let id = id.to_owned();
        Ok(self.storage().run(move |storage| storage.repository_put_away(&id)).await?.is_some())
    }

    /// Tells the index what storage holds of this now.
    pub async fn repair(&self, repository: &Repository, drift: Drift) -> Result<(), Refusal> {
        let (target, digest) = match drift {
            Drift::Manifest(digest, _) => (IntentTarget::Manifest(digest.clone()), Some(digest)),
            Drift::Tag(tag, digest) => (IntentTarget::Tag(tag), digest),
        };
        let lock = self.share(repository).await?;
        let name = repository.name.clone();
        let queue = Queue::Intent(name.clone(), target.clone());
        let intent = self.wait_for(queue, move |storage| storage.try_intent(&name, &target)).await?;
        let guard = lock.clone();
        let publish = move |storage: &Storage| {
            let _guard = guard;
            // Without a digest there is nothing to keep, and a crash before the report leaves the drift as it was.
            digest.map_or(Ok(()), |digest| storage.publish(&intent, &digest)).map(|()| intent)
        };
        let intent = self.storage().run(publish).await?;
        self.report(repository, &intent.target).await?;
        let remove = move |storage: &Storage| {
            let _lock = lock;
            storage.remove_intent(&intent)
        };
        Ok(self.storage().run(remove).await?)
    }
}

fn compare(storage: &Storage, name: &RepositoryName, told: Told) -> io::Result<Vec<Drift>> {
    let Told { manifests: mut unseen, mut tags } = told;
    let mut drift = Vec::new();
    for (digest, _) in storage.revision_spots(&Lies::Under(name.to_string()))? {
        let Some(content) = storage.revision_now(name, &digest)? else { continue };
        let known = unseen.contains(&digest);
        // What is known is known by its digest; what is not is told only if it is a manifest of today.
        let is_there = if known { storage.has_blob(&content)? } else { record(storage, &content)?.is_some() };
        if is_there {
            unseen.remove(&digest);
        }
        if is_there && !known {
            drift.push(Drift::Manifest(digest, true));
        }
    }
    drift.extend(unseen.into_iter().map(|digest| Drift::Manifest(digest, false)));
    for (tag, points_at) in storage.tags_now(name)? {
        if tags.remove(&tag).as_ref() != Some(&points_at) {
            drift.push(Drift::Tag(tag, Some(points_at)));
        }
    }
    drift.extend(tags.into_keys().map(|tag| Drift::Tag(tag, None)));
    Ok(drift)
}
