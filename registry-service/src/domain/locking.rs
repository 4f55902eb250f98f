//! Waiting for locks without a thread: each is tried, and tried again a little later, for ten seconds at most.

use super::refusal::Refusal;
use super::{Registry, Repository};
use crate::store::{RepositoryLock, Storage};
use shared::RepositoryName;
use std::io;
use std::time::{Duration, Instant};

/// After this a client is better told to come again.
const PATIENCE: Duration = Duration::from_secs(10);

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

impl Registry {
    /// Tries `attempt` on the blocking pool until it gets what it wants.
    pub(super) async fn wait_for<T, F>(&self, attempt: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: Fn(&Storage) -> io::Result<Option<T>> + Clone + Send + 'static,
    {
        self.wait_at_most(PATIENCE, attempt).await?.ok_or(Refusal::Busy)
    }

    /// The same for as long as `patience`; `None` when that is over.
    pub(super) async fn wait_at_most<T, F>(&self, patience: Duration, attempt: F) -> Result<Option<T>, Refusal>
    where
        T: Send + 'static,
        F: Fn(&Storage) -> io::Result<Option<T>> + Clone + Send + 'static,
    {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let got = self.storage().run(attempt.clone()).await?;
            if got.is_some() || begun.elapsed() > patience {
                return Ok(got);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Shares the repository's lock, for a write; under it the name still means the same repository.
    pub(super) async fn share(&self, repository: &Repository) -> Result<RepositoryLock, Refusal> {
        let name = repository.name.clone();
        let lock = self.wait_for(move |storage| storage.try_share(&name)).await?;
        self.check_identity(repository).await?;
        Ok(lock)
    }

    /// Takes the repository's lock exclusively, for a delete.
    pub(super) async fn exclude(&self, repository: &Repository) -> Result<RepositoryLock, Refusal> {
        let lock = self.exclude_name(&repository.name).await?;
        self.check_identity(repository).await?;
        Ok(lock)
    }

    /// The same, whichever repository the name means now.
    pub(super) async fn exclude_name(&self, name: &RepositoryName) -> Result<RepositoryLock, Refusal> {
        let (gated, excluded) = (name.clone(), name.clone());
        let gate = self.wait_for(move |storage| storage.try_gate(&gated)).await?;
        self.wait_for(move |storage| storage.try_exclude(&excluded, &gate)).await
    }

    async fn check_identity(&self, repository: &Repository) -> Result<(), Refusal> {
        if self.is_still(repository).await? {
            return Ok(());
        }
        Err(Refusal::RepositoryUnknown(repository.name.clone()))
    }

    /// Whether the name still means the repository that the client was admitted to. Without an index names are all
    /// there is.
    pub(super) async fn is_still(&self, repository: &Repository) -> Result<bool, Refusal> {
        let Some(id) = &repository.id else { return Ok(true) };
        Ok(self.storage().repository_id(&repository.name).await?.as_ref() == Some(id))
    }
}
