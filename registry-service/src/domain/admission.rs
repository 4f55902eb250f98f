//! Who is let in, to what: a request's token against the repository and the actions it needs.
//!
//! Must not judge: the list of actions is the token's, true and false are the index's.

use super::access::KnownToken;
use super::keys::TokenError;
use super::refusal::{Refusal, TokenFault};
use super::{Registry, Repository};
use jiff::Timestamp;
use shared::internal::{AllocateAnswer, AllocateRequest, IntrospectAnswer};
use shared::{Action, RepositoryName, Scope};
use std::sync::Arc;

/// A confirmed token, with the repository it was needed for.
pub struct Permit {
    /// The repository.
    pub repository: Repository,
    /// The account; empty for an anonymous client.
    pub subject: String,
    token: Arc<KnownToken>,
    answer: Arc<IntrospectAnswer>,
}

impl Permit {
    /// `name` as a repository that this token may pull from too, if it may; for mounts.
    pub fn pullable(&self, name: &RepositoryName) -> Option<Repository> {
        let entry = self.token.claims.repository(name)?;
        let id = self.answer.repositories.get(name)?;
        entry.allows(Action::Pull).then(|| Repository { name: name.clone(), id: id.clone() })
    }

    /// Whether the client asked for rights on `name` when it got this token.
    pub fn mentions(&self, name: &RepositoryName) -> bool {
        self.token.claims.repository(name).is_some()
    }
}

impl Registry {
    /// Any good token will do: the answer to `GET /v2/`.
    pub async fn admit_anyone(&self, token: Option<&str>, now: Timestamp) -> Result<(), Refusal> {
        self.confirmed(token, &[], true, now, |_| true).await.map(drop)
    }

    /// Admits to the catalog. Returns the subject whose view of it is meant.
    pub async fn admit_to_catalog(&self, token: Option<&str>, now: Timestamp) -> Result<String, Refusal> {
        let scopes = [Scope::catalog()];
        let (known, _) = self.confirmed(token, &scopes, true, now, |_| true).await?;
        if !known.claims.catalog(Action::All) {
            return Err(Refusal::Unauthorized { fault: TokenFault::Insufficient, scopes: scopes.into() });
        }
        Ok(known.claims.sub.clone())
    }

    /// Admits to a repository that exists, for every one of `actions`; they are also what a refused client is told to ask
    /// for.
    pub async fn admit(
        &self,
        token: Option<&str>,
        name: &RepositoryName,
        actions: &[Action],
        now: Timestamp,
    ) -> Result<Permit, Refusal> {
        let (known, answer) = self.rights(token, name, actions, now).await?;
        let id = answer.repositories.get(name).ok_or_else(|| Refusal::RepositoryUnknown(name.clone()))?;
        // Content of an earlier owner of the name, and content that no index knows, are nobody's.
        if self.storage().repository_id(name).await?.as_ref() != Some(id) {
            return Err(Refusal::RepositoryUnknown(name.clone()));
        }
        Ok(permit(name, id.clone(), known, answer))
    }

    /// The same for a write, which may be the first one: then the index allocates the name, and storage takes its id.
    pub async fn admit_writer(
        &self,
        token: Option<&str>,
        name: &RepositoryName,
        now: Timestamp,
    ) -> Result<Permit, Refusal> {
        let (known, answer) = self.rights(token, name, &[Action::Pull, Action::Push], now).await?;
        let id = match answer.repositories.get(name) {
            Some(id) => id.clone(),
            None => self.allocate(name, &known.claims.sub).await?,
        };
        let mut there = self.storage().repository_id(name).await?;
        if there.is_none() {
            let (name, id) = (name.clone(), id.clone());
            there = self.storage().run(move |storage| storage.claim_name(&name, &id)).await?;
        }
        if there.as_ref() != Some(&id) {
            return Err(Refusal::Denied(format!(
                "storage still holds what an earlier repository {name} left; an administrator must remove it first"
            )));
        }
        Ok(permit(name, id, known, answer))
    }

    async fn rights(
        &self,
        token: Option<&str>,
        name: &RepositoryName,
        actions: &[Action],
        now: Timestamp,
    ) -> Result<(Arc<KnownToken>, Arc<IntrospectAnswer>), Refusal> {
        let scopes = [Scope::repository(name.as_str(), actions.iter().copied())];
        let only_reads = actions == [Action::Pull];
        let allocated = |answer: &IntrospectAnswer| !answer.active || answer.repositories.contains_key(name);
        let (known, answer) = self.confirmed(token, &scopes, only_reads, now, allocated).await?;
        let entry = known.claims.repository(name);
        if !entry.is_some_and(|entry| actions.iter().all(|action| entry.allows(*action))) {
            return Err(Refusal::Unauthorized { fault: TokenFault::Insufficient, scopes: scopes.into() });
        }
        Ok((known, answer))
    }

    async fn confirmed(
        &self,
        token: Option<&str>,
        scopes: &[Scope],
        only_reads: bool,
        now: Timestamp,
        enough: impl Fn(&IntrospectAnswer) -> bool,
    ) -> Result<(Arc<KnownToken>, Arc<IntrospectAnswer>), Refusal> {
        let refused = |fault| Refusal::Unauthorized { fault, scopes: scopes.to_vec() };
        let token = token.ok_or_else(|| refused(TokenFault::Missing))?;
        let known = self.access().known(token, self.index(), now).await.map_err(|error| match error {
            TokenError::Invalid => refused(TokenFault::Invalid),
            TokenError::NoKeys(unavailable) => unavailable.into(),
        })?;
        let answer = self.access().confirm(&known, self.index(), only_reads, enough).await?;
        if answer.active { Ok((known, answer)) } else { Err(refused(TokenFault::Invalid)) }
    }

    async fn allocate(&self, name: &RepositoryName, subject: &str) -> Result<String, Refusal> {
        let request = AllocateRequest { subject: subject.to_owned(), repository: name.clone() };
        match self.index().allocate(&request).await? {
            AllocateAnswer::Allocated { id } => Ok(id),
            AllocateAnswer::Refused { reason } => Err(Refusal::Denied(reason)),
        }
    }
}

fn permit(name: &RepositoryName, id: String, token: Arc<KnownToken>, answer: Arc<IntrospectAnswer>) -> Permit {
    let repository = Repository { name: name.clone(), id };
    Permit { repository, subject: token.claims.sub.clone(), token, answer }
}
