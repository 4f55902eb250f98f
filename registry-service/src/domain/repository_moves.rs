//! Repositories that are put away, restored, renamed and purged, as the index wishes.
//!
//! Under the exclusive lock of every name that takes part, with nothing left to be told of the repository, and with the
//! list of moves held to the end, by which a mark sees the repository wherever it goes. To be renamed is to be put away
//! and to come back to another name. A mover may be killed at any step: the same wish completes what it began, and so
//! does the next start.

use super::refusal::Refusal;
use super::{Registry, Repository};
use crate::store::{Moves, Queue, RepositoryLock, Storage};
use shared::RepositoryName;
use shared::moves::{Move, MoveAnswer, MoveRequest};
use std::io;
use tracing::Instrument;
use uuid::Uuid;

impl Registry {
    /// Carries out a wish of the index.
    pub async fn move_repository(&self, request: &MoveRequest) -> Result<MoveAnswer, Refusal> {
        self.require_writable()?;
        // The id becomes part of a path.
        if Uuid::try_parse(&request.repository_id).is_err() {
            return Ok(refused(format!("{:?} is no id of a repository", request.repository_id)));
        }
        let (registry, request) = (self.clone(), request.clone());
        let task = async move {
            registry.complete_move_of(&request).await?;
            registry.carry_out(request).await
        };
        self.parts.runtime.spawn(task.in_current_span()).await.map_err(io::Error::other)?
    }

    /// Completes every move that a dead mover left half done. One that fails is tried again at the next call.
    pub async fn complete_moves(&self) -> Result<(), Refusal> {
        for request in self.storage().run(Storage::unfinished_moves).await? {
            match self.carry_out(request.clone()).await {
                Ok(_) => tracing::info!(repository = %request.repository, "completed a move"),
                Err(refusal) => {
                    tracing::warn!(repository = %request.repository, error = %refusal, "a repository is half moved");
                }
            }
        }
        Ok(())
    }

    /// The same for one repository, if it is not `request` itself that is half done. The number alone does not tell: an index
    /// that was restored from a backup gives it to another wish.
    async fn complete_move_of(&self, request: &MoveRequest) -> Result<(), Refusal> {
        let id = request.repository_id.clone();
        match self.storage().run(move |storage| storage.last_move(&id)).await? {
            Some(last) if !last.is_done && last.request != *request => self.carry_out(last.request).await.map(drop),
            _ => Ok(()),
        }
    }

    async fn carry_out(&self, request: MoveRequest) -> Result<MoveAnswer, Refusal> {
        let mut names = vec![request.repository.clone()];
        if let Move::Rename { to } = &request.verb {
            names.push(to.clone());
        }
        // Everybody locks in the same order.
        names.sort_unstable();
        names.dedup();
        let mut locks = Vec::new();
        for name in &names {
            locks.push(self.exclude_name(name).await?);
        }
        self.settle_all(&request, &locks).await?;
        let moves = self.wait_for(Queue::Moves, Storage::try_lock_moves).await?;
        let make = move |storage: &Storage| {
            let _locks = locks;
            carry_out(storage, &request, &moves)
        };
        Ok(self.storage().run(make).await?)
    }

    /// Tells the index what is left to be told of the repository, as long as it lies under its name whole.
    async fn settle_all(&self, request: &MoveRequest, locks: &[RepositoryLock]) -> Result<(), Refusal> {
        let repository = Repository { name: request.repository.clone(), id: Some(request.repository_id.clone()) };
        if !self.is_still(&repository).await? {
            return Ok(());
        }
        let name = repository.name.clone();
        for target in self.storage().run(move |storage| storage.intents_of(&name)).await? {
            let intent = self.take_intent(&repository, target).await?;
            let guard = locks.to_vec();
            let remove = move |storage: &Storage| {
                let _guard = guard;
                storage.remove_intent(&intent)
            };
            self.storage().run(remove).await?;
        }
        Ok(())
    }
}

/// The caller holds the exclusive lock of every name of the request.
fn carry_out(storage: &Storage, request: &MoveRequest, moves: &Moves) -> io::Result<MoveAnswer> {
    let (id, name) = (&request.repository_id, &request.repository);
    let is_begun = match storage.last_move(id)? {
        // Also one with the same number: an index that was restored from a backup gives it again.
        Some(last) if last.request.number >= request.number && last.request != *request => {
            return Ok(MoveAnswer::Late { number: last.request.number });
        }
        Some(last) if last.request == *request && last.is_done => return Ok(MoveAnswer::Done),
        Some(last) if last.request.verb == Move::Purge && request.verb != Move::Purge => {
            // An index that was restored from a backup may not know it. Nothing is left to put away, so it can go on to
            // its purge; that the repository has been purged stays noted.
            return Ok(match request.verb {
                Move::PutAway => MoveAnswer::Done,
                _ => refused(format!("repository {name} was purged; nothing is left of it")),
            });
        }
        last => last.is_some_and(|last| last.request == *request),
    };
    let destination = match &request.verb {
        Move::Restore => Some(name),
        Move::Rename { to } => Some(to),
        Move::PutAway | Move::Purge => None,
    };
    if let Some(to) = destination.filter(|_| !is_begun)
        && !is_free(storage, to, id)?
    {
        return Ok(refused(format!(
            "something that is not of this repository lies under {to} in storage; an administrator must remove it first"
        )));
    }
    let lies_there = match storage.repository_id_now(name)? {
        Some(there) => there == *id,
        // The id goes first and comes last: what a dead mover left there is of this repository.
        None => is_begun,
    };
    moves.note(name, id)?;
    if let Some(to) = destination.filter(|to| *to != name) {
        moves.note(to, id)?;
    }
    storage.note_move(request, false)?;
    storage.pause("move noted");
    if lies_there && request.verb != Move::Restore {
        storage.put_away(name, id, moves)?;
    }
    storage.pause("put away");
    match &request.verb {
        Move::PutAway => {}
        Move::Purge => storage.purge_put_away(id, moves)?,
        Move::Restore => storage.take_back(id, name, moves)?,
        Move::Rename { to } => storage.take_back(id, to, moves)?,
    }
    storage.note_move(request, true)?;
    Ok(MoveAnswer::Done)
}

/// Whether nothing lies under `name`, or the repository itself.
fn is_free(storage: &Storage, name: &RepositoryName, id: &str) -> io::Result<bool> {
    match storage.repository_id_now(name)? {
        Some(there) => Ok(there == id),
        None => Ok(!storage.has_parts(name)?),
    }
}

fn refused(reason: String) -> MoveAnswer {
    MoveAnswer::Refused { reason }
}
