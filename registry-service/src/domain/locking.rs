//! Waiting for locks without a thread: in a queue of this process, first come, first served, and at its head for other
//! processes, which are tried again and again; ten seconds at most.

use super::refusal::Refusal;
use super::{Registry, Repository};
use crate::store::{Mode, Queue, Queued, RepositoryLock, Storage, Turn};
use shared::RepositoryName;
use std::io;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// After this a client is better told to come again.
const PATIENCE: Duration = Duration::from_secs(10);

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

impl Registry {
    /// Takes what `attempt` tries to take, and nobody else has at the same time, when its turn has come.
    pub(super) async fn wait_for<T, F>(&self, queue: Queue, attempt: F) -> Result<T, Refusal>
    where
        T: Queued + Send + 'static,
        F: Fn(&Storage) -> io::Result<Option<T>> + Clone + Send + 'static,
    {
        self.wait_at_most(PATIENCE, queue, Mode::Exclusive, attempt).await?.ok_or(Refusal::Busy)
    }

    /// The same in either mode, for as long as `patience`; `None` when that is over.
    pub(super) async fn wait_at_most<T, F>(
        &self,
        patience: Duration,
        queue: Queue,
        mode: Mode,
        attempt: F,
    ) -> Result<Option<T>, Refusal>
    where
        T: Queued + Send + 'static,
        F: Fn(&Storage) -> io::Result<Option<T>> + Clone + Send + 'static,
    {
        let deadline = Instant::now() + patience;
        let Some(turn) = self.turn(queue, mode, deadline).await else { return Ok(None) };
        let mut got = self.try_until(deadline, &turn, attempt).await?;
        if let Some(got) = &mut got {
            got.keep(turn);
        }
        Ok(got)
    }

    async fn turn(&self, queue: Queue, mode: Mode, deadline: Instant) -> Option<Turn> {
        timeout_at(deadline, self.storage().queues().turn(queue, mode)).await.ok().flatten()
    }

    /// Tries, and if another process has it, tries again until `deadline`: one of all who share the turn.
    async fn try_until<T, F>(&self, deadline: Instant, turn: &Turn, attempt: F) -> io::Result<Option<T>>
    where
        T: Send + 'static,
        F: Fn(&Storage) -> io::Result<Option<T>> + Clone + Send + 'static,
    {
        let mut got = self.storage().run(attempt.clone()).await?;
        if got.is_some() {
            return Ok(got);
        }
        let Ok(_head) = timeout_at(deadline, turn.head()).await else { return Ok(None) };
        let mut pause = FIRST_PAUSE;
        while got.is_none() && Instant::now() < deadline {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            got = self.storage().run(attempt.clone()).await?;
        }
        Ok(got)
    }

    /// Shares the repository's lock, for a write; under it the name still means the same repository.
    pub(super) async fn share(&self, repository: &Repository) -> Result<RepositoryLock, Refusal> {
        let lock = self.share_name(&repository.name).await?;
        self.check_identity(repository).await?;
        Ok(lock)
    }

    /// The same, whichever repository the name means now.
    pub(super) async fn share_name(&self, name: &RepositoryName) -> Result<RepositoryLock, Refusal> {
        let (queue, name) = (Queue::Repository(name.clone()), name.clone());
        let shared = self.wait_at_most(PATIENCE, queue, Mode::Shared, move |storage| storage.try_share(&name)).await?;
        shared.ok_or(Refusal::Busy)
    }

    /// Takes the repository's lock exclusively, for a delete.
    pub(super) async fn exclude(&self, repository: &Repository) -> Result<RepositoryLock, Refusal> {
        let lock = self.exclude_name(&repository.name).await?;
        self.check_identity(repository).await?;
        Ok(lock)
    }

    /// The same, whichever repository the name means now.
    pub(super) async fn exclude_name(&self, name: &RepositoryName) -> Result<RepositoryLock, Refusal> {
        let deadline = Instant::now() + PATIENCE;
        let turn = self.turn(Queue::Repository(name.clone()), Mode::Exclusive, deadline).await.ok_or(Refusal::Busy)?;
        let (gated, excluded) = (name.clone(), name.clone());
        let gate = self.try_until(deadline, &turn, move |storage| storage.try_gate(&gated)).await?;
        let gate = gate.ok_or(Refusal::Busy)?;
        let lock = self.try_until(deadline, &turn, move |storage| storage.try_exclude(&excluded, &gate)).await?;
        let mut lock = lock.ok_or(Refusal::Busy)?;
        lock.keep(turn);
        Ok(lock)
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
        Ok(self.storage().holds(&repository.name, id).await?)
    }
}
