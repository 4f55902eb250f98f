//! The one way in which a tag or manifest changes: announced by intents, judged by the index, made in storage,
//! committed in the index, then done. A crash at any step leaves intents, which somebody settles. Where there is no
//! index, nobody judges and nobody is told, and intents are locks and keepers alone.
//!
//! Must be called under the repository's lock, and in a task that no client can drop.

use super::refusal::Refusal;
use super::{Registry, Repository};
use crate::store::index::Index;
use crate::store::{Intent, IntentTarget, Queue, RepositoryLock, Storage};
use shared::Digest;
use shared::internal::{Change, CommitRequest, JudgeRequest, ManifestState, TagState, Verdict};
use std::io;
use std::sync::Arc;

/// A change, and what the index is told of it once it is made.
pub(super) struct Plan {
    pub repository: Repository,
    /// The account; empty for an anonymous client.
    pub subject: String,
    /// The manifest that comes or goes: what the intents hold.
    pub manifest: Digest,
    /// The question to the index.
    pub change: Change,
    /// Manifests as they are afterwards.
    pub manifests: Vec<ManifestState>,
    /// Tags as they are afterwards.
    pub tags: Vec<TagState>,
}

/// Locked intents with the repository's lock: cloned into each blocking write, so that the locks live as long as it.
#[derive(Clone)]
struct Held {
    intents: Arc<Vec<Intent>>,
    _repository: RepositoryLock,
}

/// The index's leave to make a change, and what it is told with afterwards.
struct Turn<'a> {
    index: &'a dyn Index,
    repository_id: String,
    number: u64,
}

impl Plan {
    /// Digests before tags, each in order: everybody locks in the same order.
    fn targets(&self) -> Vec<IntentTarget> {
        let manifests = self.manifests.iter().map(|state| IntentTarget::Manifest(state.digest.clone()));
        let tags = self.tags.iter().map(|state| IntentTarget::Tag(state.tag.clone()));
        let mut targets: Vec<_> = manifests.chain(tags).collect();
        targets.sort_unstable();
        targets.dedup();
        targets
    }
}

impl Registry {
    /// Carries out `plan`: `look` decides by storage whether it can be, `make` makes it visible.
    pub(super) async fn change<L, M>(&self, held: RepositoryLock, plan: Plan, look: L, make: M) -> Result<(), Refusal>
    where
        L: FnOnce(&Storage) -> Result<(), Refusal> + Send + 'static,
        M: FnOnce(&Storage) -> io::Result<()> + Send + 'static,
    {
        let intents = self.take_intents(&plan).await?;
        let held = Held { intents: Arc::new(intents), _repository: held };
        let turn = match self.announce_and_judge(&held, &plan, look).await {
            Ok(turn) => turn,
            Err(refusal) => {
                self.withdraw(held).await;
                return Err(refusal);
            }
        };
        self.storage().pause_task("judged").await;
        // From here on it may be visible: whatever fails, the intents stay for who settles them.
        let guard = held.clone();
        self.storage()
            .run(move |storage| {
                let _guard = guard;
                make(storage)
            })
            .await?;
        self.storage().pause_task("made").await;
        if let Some(turn) = turn {
            let commit = CommitRequest {
                repository: plan.repository.name,
                repository_id: turn.repository_id,
                number: turn.number,
                actor: Some(plan.subject),
                manifests: plan.manifests,
                tags: plan.tags,
            };
            tell(turn.index, &commit).await?;
        }
        self.storage().pause_task("committed").await;
        self.withdraw(held).await;
        Ok(())
    }

    /// Locks the intents of all targets, in order. What a dead holder left in one is settled first.
    async fn take_intents(&self, plan: &Plan) -> Result<Vec<Intent>, Refusal> {
        let mut taken = Vec::new();
        for target in plan.targets() {
            match self.take_intent(&plan.repository, target).await {
                Ok(intent) => taken.push(intent),
                Err(refusal) => {
                    self.remove_intents(Arc::new(taken)).await;
                    return Err(refusal);
                }
            }
        }
        Ok(taken)
    }

    /// Locks one intent. What a dead holder left in it is settled first.
    pub(super) async fn take_intent(&self, repository: &Repository, target: IntentTarget) -> Result<Intent, Refusal> {
        let name = repository.name.clone();
        let queue = Queue::Intent(name.clone(), target.clone());
        let intent = self.wait_for(queue, move |storage| storage.try_intent(&name, &target)).await?;
        if intent.leftover.is_some() {
            self.report(repository, &intent.target).await?;
        }
        Ok(intent)
    }

    async fn announce_and_judge<L>(&self, held: &Held, plan: &Plan, look: L) -> Result<Option<Turn<'_>>, Refusal>
    where
        L: FnOnce(&Storage) -> Result<(), Refusal> + Send + 'static,
    {
        let (guard, manifest) = (held.clone(), plan.manifest.clone());
        self.storage()
            .run(move |storage| {
                let guard = guard;
                guard.intents.iter().try_for_each(|intent| storage.publish(intent, &manifest))?;
                storage.pause("announced");
                let looked = look(storage);
                storage.pause("looked");
                Ok(looked)
            })
            .await??;
        let (Some(index), Some(repository_id)) = (self.index(), plan.repository.id.clone()) else { return Ok(None) };
        let request = JudgeRequest {
            repository: plan.repository.name.clone(),
            repository_id: repository_id.clone(),
            subject: plan.subject.clone(),
            change: plan.change.clone(),
        };
        match index.judge(&request).await? {
            Verdict::Granted { number } => Ok(Some(Turn { index, repository_id, number })),
            Verdict::Refused { reason } => Err(Refusal::Denied(reason)),
        }
    }

    async fn withdraw(&self, held: Held) {
        self.remove_intents(Arc::clone(&held.intents)).await;
    }

    /// Best effort: an intent that stays is settled later, which changes nothing.
    async fn remove_intents(&self, intents: Arc<Vec<Intent>>) {
        let removed =
            self.storage().run(move |storage| intents.iter().try_for_each(|intent| storage.remove_intent(intent)));
        if let Err(error) = removed.await {
            tracing::warn!(%error, "an intent was left behind");
        }
    }
}

/// Tells the index what storage holds; an unknown answer leaves the intents.
pub(super) async fn tell(index: &dyn Index, commit: &CommitRequest) -> Result<(), Refusal> {
    let answer = index.commit(commit).await?;
    for drift in answer.drift {
        tracing::warn!(repository = %commit.repository, drift, "index and storage differ");
    }
    Ok(())
}
