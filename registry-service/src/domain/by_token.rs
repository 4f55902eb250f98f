//! Letting clients in by registry tokens: checked, confirmed with the index, and compared with what a request needs.
//!
//! Must not know storage: whether a repository lies there as the index says is `admission.rs`'s to look at.

use super::access::{AccessControl, KnownToken};
use super::admission::Credentials;
use super::keys::TokenError;
use super::refusal::{CredentialFault, Refusal};
use crate::store::index::{Index, IndexUnavailable};
use jiff::Timestamp;
use shared::internal::{AllocateAnswer, AllocateRequest, IntrospectAnswer};
use shared::moves::MoveRequest;
use shared::{Action, RepositoryName, Scope};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Who asks under a lock waits no longer for an answer, its turn to ask included; an index in the same process has no limit of
/// its own.
const UNDER_LOCK: Duration = Duration::from_secs(5);

/// An index, and what is remembered of its answers.
pub struct Tokens {
    access: AccessControl,
    index: Arc<dyn Index>,
}

/// A token that the index has confirmed.
pub(super) struct Confirmed {
    token: Arc<KnownToken>,
    answer: Arc<IntrospectAnswer>,
}

impl Confirmed {
    /// The account; empty for an anonymous client.
    pub fn subject(&self) -> &str {
        &self.token.claims.sub
    }

    /// The id of a repository of the token, if it is allocated.
    pub fn id_of(&self, name: &RepositoryName) -> Option<&str> {
        self.answer.repositories.get(name).map(String::as_str)
    }

    /// The same, if the token allows pulling from it.
    pub fn pullable(&self, name: &RepositoryName) -> Option<String> {
        let entry = self.token.claims.repository(name)?;
        entry.allows(Action::Pull).then(|| self.id_of(name).map(str::to_owned))?
    }

    /// Those of the token's repositories that are allocated, whatever it allows there.
    pub fn repositories(&self) -> impl Iterator<Item = &RepositoryName> {
        self.answer.repositories.keys()
    }

    /// Whether the token has an entry for `name`, whatever it allows.
    pub fn mentions(&self, name: &RepositoryName) -> bool {
        self.token.claims.repository(name).is_some()
    }
}

impl Tokens {
    /// Takes the tokens that `access` knows how to check, if `index` confirms them.
    pub fn new(access: AccessControl, index: Arc<dyn Index>) -> Self {
        Self { access, index }
    }

    pub(super) fn index(&self) -> &dyn Index {
        self.index.as_ref()
    }

    /// What the index wishes by a token that is for nothing else.
    pub(super) async fn wish(&self, credentials: &Credentials<'_>) -> Result<MoveRequest, Refusal> {
        let refused = |fault| Refusal::Unauthorized { fault, scopes: Vec::new() };
        let Credentials::Token(token) = credentials else { return Err(refused(CredentialFault::Missing)) };
        self.access.wish(token, self.index()).await.map_err(|error| match error {
            TokenError::Invalid => refused(CredentialFault::Invalid),
            TokenError::NoKeys(unavailable) => unavailable.into(),
        })
    }

    /// Any good token will do.
    pub(super) async fn admit_anyone(&self, credentials: &Credentials<'_>, now: Timestamp) -> Result<(), Refusal> {
        self.confirmed(credentials, Vec::new, true, now, |_| true).await.map(drop)
    }

    /// Returns the subject.
    pub(super) async fn admit_to_catalog(
        &self,
        credentials: &Credentials<'_>,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        let scopes = || vec![Scope::catalog()];
        let confirmed = self.confirmed(credentials, scopes, true, now, |_| true).await?;
        if !confirmed.token.claims.catalog(Action::All) {
            return Err(Refusal::Unauthorized { fault: CredentialFault::Insufficient, scopes: scopes() });
        }
        Ok(confirmed.subject().to_owned())
    }

    /// The token, if it allows every one of `actions` on `name`.
    pub(super) async fn rights(
        &self,
        credentials: &Credentials<'_>,
        name: &RepositoryName,
        actions: &[Action],
        now: Timestamp,
    ) -> Result<Confirmed, Refusal> {
        let scopes = || vec![Scope::repository(name.as_str(), actions.iter().copied())];
        let only_reads = actions == [Action::Pull];
        let allocated = |answer: &IntrospectAnswer| !answer.active || answer.repositories.contains_key(name);
        let confirmed = self.confirmed(credentials, scopes, only_reads, now, allocated).await?;
        let entry = confirmed.token.claims.repository(name);
        if !entry.is_some_and(|entry| actions.iter().all(|action| entry.allows(*action))) {
            return Err(Refusal::Unauthorized { fault: CredentialFault::Insufficient, scopes: scopes() });
        }
        Ok(confirmed)
    }

    /// The token of `confirmed` as the index confirms it now, in time for who holds a lock; `None` if it does no more.
    pub(super) async fn confirmed_again(&self, confirmed: &Confirmed) -> Result<Option<Confirmed>, Refusal> {
        // No answer to an earlier question will do.
        let asking = self.access.confirm(&confirmed.token, self.index(), false, |_| false);
        let answer = timeout(UNDER_LOCK, asking).await;
        let answer = answer.map_err(|_| IndexUnavailable("no answer in time".to_owned()))??;
        Ok(answer.active.then(|| Confirmed { token: Arc::clone(&confirmed.token), answer }))
    }

    /// Has the index allocate `name` for the subject of `confirmed`. Returns the id. Of all who come with the same token
    /// at once, as a client that pushes several layers does, one asks for it.
    pub(super) async fn allocate(&self, name: &RepositoryName, confirmed: &Confirmed) -> Result<String, Refusal> {
        let token = &confirmed.token;
        let _allocating = token.allocating.lock().await;
        let allocated = |answer: &IntrospectAnswer| answer.repositories.contains_key(name);
        let answer = self.access.confirm(token, self.index(), false, allocated).await?;
        if let Some(id) = answer.repositories.get(name) {
            return Ok(id.clone());
        }
        let request = AllocateRequest { subject: confirmed.subject().to_owned(), repository: name.clone() };
        match self.index.allocate(&request).await? {
            AllocateAnswer::Allocated { id } => Ok(id),
            AllocateAnswer::Refused { reason } => Err(Refusal::Denied(reason)),
        }
    }

    async fn confirmed(
        &self,
        credentials: &Credentials<'_>,
        scopes: impl Fn() -> Vec<Scope>,
        only_reads: bool,
        now: Timestamp,
        enough: impl Fn(&IntrospectAnswer) -> bool,
    ) -> Result<Confirmed, Refusal> {
        let refused = |fault| Refusal::Unauthorized { fault, scopes: scopes() };
        let Credentials::Token(token) = credentials else { return Err(refused(CredentialFault::Missing)) };
        let token = self.access.known(token, self.index(), now).await.map_err(|error| match error {
            TokenError::Invalid => refused(CredentialFault::Invalid),
            TokenError::NoKeys(unavailable) => unavailable.into(),
        })?;
        let answer = self.access.confirm(&token, self.index(), only_reads, enough).await?;
        if answer.active { Ok(Confirmed { token, answer }) } else { Err(refused(CredentialFault::Invalid)) }
    }
}
