//! Settling intents that a stopped process left: the index is told what storage holds now, whatever was meant.

use super::referrers::settle_referrer;
use super::refusal::Refusal;
use super::under_intents::tell;
use super::{Registry, Repository};
use crate::model::manifest::Manifest;
use crate::store::{IntentTarget, Storage, WholeBlob};
use shared::internal::{CommitRequest, ManifestRecord, ManifestState, TagState};
use shared::{Digest, RepositoryName};
use std::io;

impl Registry {
    /// Settles every intent that nobody holds. One that fails is tried again at the next call, and keeps none of the
    /// others waiting.
    pub async fn settle_leftovers(&self) -> Result<(), Refusal> {
        for (name, target) in self.storage().run(Storage::intents).await? {
            if let Err(refusal) = self.settle(name.clone(), target).await {
                tracing::warn!(repository = %name, error = %refusal, "a leftover intent is not settled yet");
            }
        }
        Ok(())
    }

    async fn settle(&self, name: RepositoryName, target: IntentTarget) -> Result<(), Refusal> {
        let mut repository = Repository { name, id: None };
        if self.index().is_some() {
            repository.id = self.storage().repository_id(&repository.name).await?;
            if repository.id.is_none() {
                tracing::warn!(repository = %repository.name, "an intent for a repository that storage does not know stays");
                return Ok(());
            }
        }
        // One that is held is its holder's: no need to wait for the repository's lock to learn that.
        let (name, wanted) = (repository.name.clone(), target.clone());
        if !self.storage().run(move |storage| storage.is_leftover(&name, &wanted)).await? {
            return Ok(());
        }
        let lock = self.share(&repository).await?;
        let name = repository.name.clone();
        let Some(intent) = self.storage().run(move |storage| storage.try_intent(&name, &target)).await? else {
            return Ok(());
        };
        self.storage().pause_task("settling").await;
        if intent.leftover.is_some() {
            self.report(&repository, &intent.target).await?;
            tracing::info!(repository = %repository.name, target = ?intent.target, "settled a leftover intent");
        }
        self.storage()
            .run(move |storage| {
                let _lock = lock;
                storage.remove_intent(&intent)
            })
            .await?;
        Ok(())
    }

    /// Tells the index, if there is one, what storage holds of `target`. What was half made of it is mended first, a manifest's
    /// entry among referrers and a tag that has no link, and what it is told lasts. The caller holds its intent.
    pub(super) async fn report(&self, repository: &Repository, target: &IntentTarget) -> Result<(), Refusal> {
        let turn = match self.index() {
            Some(index) => Some((index, index.turn().await?.number)),
            None => None,
        };
        let (Repository { name, id }, looked_at) = (repository.clone(), target.clone());
        let observed = self.storage().run(move |storage| {
            match &looked_at {
                IntentTarget::Manifest(digest) => {
                    settle_referrer(storage, &name, digest)?;
                    storage.make_revision_durable(&name, digest)?;
                }
                IntentTarget::Tag(tag) => {
                    storage.remove_unlinked_tag(&name, id.as_deref(), tag)?;
                    storage.make_tag_durable(&name, tag)?;
                }
            }
            observe(storage, &name, looked_at)
        });
        let (manifests, tags) = observed.await?;
        let (Some((index, number)), Some(repository_id)) = (turn, repository.id.clone()) else { return Ok(()) };
        let report =
            CommitRequest { repository: repository.name.clone(), repository_id, number, actor: None, manifests, tags };
        tell(index, &report).await
    }
}

fn observe(
    storage: &Storage,
    name: &RepositoryName,
    target: IntentTarget,
) -> io::Result<(Vec<ManifestState>, Vec<TagState>)> {
    match target {
        IntentTarget::Tag(tag) => {
            let digest = storage.tag_now(name, &tag)?;
            Ok((Vec::new(), vec![TagState { tag, digest }]))
        }
        IntentTarget::Manifest(digest) => {
            let record = match storage.revision_now(name, &digest)? {
                Some(content) => record(storage, &content)?,
                None => None,
            };
            Ok((vec![ManifestState { digest, record }], Vec::new()))
        }
    }
}

/// What the index is told of the manifest with these bytes; `None` if there are none, or none that are a manifest.
pub(super) fn record(storage: &Storage, digest: &Digest) -> io::Result<Option<ManifestRecord>> {
    let bytes = match storage.read_blob(digest)? {
        WholeBlob::Good(bytes) => bytes,
        // It is not gone.
        WholeBlob::Unreadable(error) => return Err(error),
        WholeBlob::Damaged | WholeBlob::Quarantined | WholeBlob::Nowhere => return Ok(None),
    };
    Ok(Manifest::parse(&bytes, None).ok().map(|manifest| manifest.record(bytes.len() as u64)))
}
