//! Deleting, restoring, purging and renaming repositories: the index writes down what it wishes of storage, has a registry
//! carry it out, and takes note.
//!
//! Never in one transaction with the call. A wish that nobody answers stays, and is repeated until somebody does, so
//! that a verb is begun at once whatever the registries do, and ends when they can.

use super::Index;
use super::error::{Noun, Refusal};
use super::repositories::why_not;
use crate::model::moves::{DeletedRepository, HELD_FOR};
use crate::model::{Account, Page, Paged, Repository, Role};
use crate::store::{RegistryDoor, SignedWish, Wished};
use jiff::Timestamp;
use shared::moves::{self, Move, MoveAnswer, MoveClaims, MoveRequest};
use shared::{NamespaceName, RepositoryName};
use std::sync::Arc;

/// Seconds for which a registry may take the token of a wish.
const LIFETIME: u64 = 60;

/// Seconds by which it is valid before it was signed, for registries whose clock is behind.
const HEAD_START: u64 = 30;

/// Wishes that are repeated in one go.
pub(super) const AT_ONCE: u32 = 100;

/// Who the time limit is in records.
const NOBODY: &str = "";

/// An index with a registry that it can call.
#[derive(Clone)]
pub struct Mover {
    index: Index,
    /// `None`: none is known, so every wish waits.
    registry: Option<Arc<dyn RegistryDoor>>,
}

/// How far a wish is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Storage is as wished.
    Done,
    /// No registry has said so yet.
    Waiting,
}

impl Mover {
    /// `index`, which calls `registry`.
    pub fn new(index: Index, registry: Option<Arc<dyn RegistryDoor>>) -> Self {
        Self { index, registry }
    }

    /// The index.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Deletes the repository `name`: nobody sees it from now on, and it can be restored until it is purged.
    pub async fn delete(&self, caller: &Account, name: &RepositoryName, now: Timestamp) -> Result<Progress, Refusal> {
        let repository = self.index.repository_with(&caller.subject(), name, Role::Admin).await?;
        self.wish(&repository, Move::PutAway, caller.name.as_str(), now).await
    }

    /// Brings the deleted repository `name` back.
    pub async fn restore(&self, caller: &Account, name: &RepositoryName, now: Timestamp) -> Result<Progress, Refusal> {
        let place = self.index.database.place(&caller.subject(), name).await?;
        let (repository, role) = place.deleted().ok_or_else(|| Refusal::not_found(Noun::DeletedRepository, name))?;
        if role < Role::Admin {
            return Err(Refusal::RoleNeeded { needed: Role::Admin, on: name.to_string() });
        }
        if !place.namespace_exists {
            return Err(Refusal::NameUnavailable);
        }
        self.wish(repository, Move::Restore, caller.name.as_str(), now).await
    }

    /// Purges the deleted repository `name` before its time, for `admin`, who administers the instance.
    pub async fn purge(&self, admin: &Account, name: &RepositoryName, now: Timestamp) -> Result<Progress, Refusal> {
        let place = self.index.database.place(&admin.subject(), name).await?;
        let (repository, _) = place.deleted().ok_or_else(|| Refusal::not_found(Noun::DeletedRepository, name))?;
        self.wish(repository, Move::Purge, admin.name.as_str(), now).await
    }

    /// Gives the repository `name` another one in its namespace. The old one is free afterwards.
    pub async fn rename(
        &self,
        caller: &Account,
        name: &RepositoryName,
        to: RepositoryName,
        now: Timestamp,
    ) -> Result<Progress, Refusal> {
        let subject = caller.subject();
        let repository = self.index.repository_with(&subject, name, Role::Admin).await?;
        if to.namespace() != name.namespace() {
            return Err(Refusal::invalid_at(
                "/name",
                format_args!("a repository keeps its namespace: give it a name in {}", name.namespace()),
            ));
        }
        let place = self.index.database.place(&subject, &to).await?;
        if !place.is_free() || place.creator_role().is_none() {
            return Err(why_not(&place, &to));
        }
        self.wish(&repository, Move::Rename { to }, caller.name.as_str(), now).await
    }

    /// Repeats what is wished and not known to be done, and purges what has been deleted for long enough.
    pub async fn carry_out_all(&self, now: Timestamp) -> Result<(), Refusal> {
        let expired = now.checked_sub(HELD_FOR).unwrap_or(Timestamp::MIN);
        for id in self.index.database.deleted_before(expired, AT_ONCE).await? {
            self.index.database.wish(&id, &Move::Purge, NOBODY, now).await?;
        }
        // The rest of many, as those of a renamed organisation, follows at once as long as all are carried out.
        while self.carry_out_some(now).await? == AT_ONCE {}
        Ok(())
    }

    /// Repeats the oldest wishes; tells how many are done.
    async fn carry_out_some(&self, now: Timestamp) -> Result<u32, Refusal> {
        let mut done = 0;
        for request in self.index.database.wishes(AT_ONCE).await? {
            match self.carry_out(request.clone(), now).await {
                Ok(progress) => {
                    tracing::debug!(?request, ?progress, "repeated a wish");
                    done += u32::from(progress == Progress::Done);
                }
                Err(refusal) => {
                    tracing::warn!(repository = %request.repository, error = %refusal, "a wish cannot be carried out");
                }
            }
        }
        Ok(done)
    }

    async fn wish(&self, repository: &Repository, verb: Move, by: &str, now: Timestamp) -> Result<Progress, Refusal> {
        match self.index.database.wish(&repository.id, &verb, by, now).await? {
            Wished::Stands(request) => self.carry_out(request, now).await,
            Wished::NoSuchRepository => Err(Refusal::not_found(Noun::Repository, &repository.name)),
            Wished::Moving => Err(Refusal::Moving(repository.name.clone())),
            Wished::NameTaken => Err(Refusal::NameUnavailable),
        }
    }

    /// Has a registry carry out a wish that stands, and takes note of it.
    pub(super) async fn carry_out(&self, mut request: MoveRequest, now: Timestamp) -> Result<Progress, Refusal> {
        let Some(registry) = &self.registry else { return Ok(Progress::Waiting) };
        loop {
            let wish = SignedWish { token: self.sign(&request, now)?, request };
            let answer = registry.carry_out(&wish).await;
            request = wish.request;
            match answer {
                Ok(MoveAnswer::Done) => {
                    self.index.database.moved(&request, now).await?;
                    return Ok(Progress::Done);
                }
                Ok(MoveAnswer::Refused { reason }) if follows_its_namespace(&request) => {
                    tracing::error!(repository = %request.repository, reason, "a repository cannot follow its namespace");
                    return Ok(Progress::Waiting);
                }
                Ok(MoveAnswer::Refused { reason }) => {
                    self.index.database.give_up(&request).await?;
                    return Err(Refusal::NotMoved(reason));
                }
                // This index was restored from a backup: its numbers had been further.
                Ok(MoveAnswer::Late { number }) => match self.index.database.wish_anew(&request, number).await? {
                    Some(again) => request = again,
                    None => return Ok(Progress::Done),
                },
                Err(unavailable) => {
                    tracing::warn!(repository = %request.repository, error = %unavailable, "a wish waits");
                    return Ok(Progress::Waiting);
                }
            }
        }
    }

    fn sign(&self, request: &MoveRequest, now: Timestamp) -> Result<String, Refusal> {
        let identity = self.index.identity();
        let signed_at = u64::try_from(now.as_second()).unwrap_or_default();
        let claims = MoveClaims {
            iss: identity.issuer.clone(),
            aud: moves::audience(&identity.service),
            exp: signed_at + LIFETIME,
            nbf: signed_at.saturating_sub(HEAD_START),
            iat: signed_at,
            jti: uuid::Uuid::new_v4().to_string(),
            request: request.clone(),
        };
        self.index.signer.sign(&claims, now)
    }
}

/// Whether the namespace has its new name already: then the repository has no place at its old one, and its wish stands
/// until what is in the way in storage is removed.
fn follows_its_namespace(request: &MoveRequest) -> bool {
    matches!(&request.verb, Move::Rename { to } if to.namespace() != request.repository.namespace())
}

impl Index {
    /// A page of the repositories of a namespace that can be restored.
    pub async fn deleted_repositories(
        &self,
        caller: &Account,
        namespace: &NamespaceName,
        page: &Page,
    ) -> Result<Paged<DeletedRepository>, Refusal> {
        self.namespace_seen(&caller.subject(), namespace).await?;
        Ok(self.database.deleted_repositories(namespace, page).await?)
    }
}
