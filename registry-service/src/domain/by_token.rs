//! Letting clients in by registry tokens: checked, confirmed with the index, and compared with what a request needs.
//!
//! Must not know storage: whether a repository lies there as the index says is `admission.rs`'s to look at.

use super::access::{AccessControl, KnownToken};
use super::admission::Credentials;
use super::keys::TokenError;
use super::refusal::{CredentialFault, Refusal};
use crate::model::upload::{Opener, OpeningToken};
use crate::store::index::{Index, IndexUnavailable};
use jiff::{SignedDuration, Timestamp};
use shared::internal::{AllocateAnswer, AllocateRequest, IntrospectAnswer};
use shared::moves::MoveRequest;
use shared::{Access, Action, Claims, RepositoryName, ResourceType, Scope};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Who asks under a lock waits no longer for an answer, its turn to ask included; an index in the same process has no limit of
/// its own.
const UNDER_LOCK: Duration = Duration::from_secs(5);

/// For so long after it was opened an upload goes on with a token whose time is over.
const OUTLIVES: SignedDuration = SignedDuration::from_hours(6);

/// An index, and what is remembered of its answers.
pub struct Tokens {
    access: AccessControl,
    index: Arc<dyn Index>,
}

/// A token that the index has confirmed.
pub(super) struct Confirmed {
    token: Arc<KnownToken>,
    answer: Arc<IntrospectAnswer>,
    /// The client's address; `None` if it is not known.
    from: Option<IpAddr>,
}

impl Confirmed {
    /// What the index confirmed when the upload of `opener` was opened.
    fn of_opener(claims: Claims, name: &RepositoryName, opener: &Opener, from: Option<IpAddr>) -> Self {
        let repositories = BTreeMap::from([(name.clone(), opener.repository_id.clone())]);
        let reach = opener.token.as_ref().map(|token| token.reach.clone()).unwrap_or_default();
        let answer = IntrospectAnswer { active: true, repositories, reach, as_of: claims.as_of.number, until: None };
        Self { token: Arc::new(KnownToken::new("".into(), claims)), answer: Arc::new(answer), from }
    }

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
        self.may_pull(name).then(|| self.id_of(name).map(str::to_owned))?
    }

    fn may_pull(&self, name: &RepositoryName) -> bool {
        let entry = self.token.claims.repository(name);
        entry.is_some_and(|entry| entry.allows(Action::Pull)) && self.answer.reach.opens(name, self.from)
    }

    /// The same token by a later answer; `None` if that says it does no more.
    fn anew(&self, answer: Arc<IntrospectAnswer>) -> Option<Self> {
        answer.active.then(|| Self { token: Arc::clone(&self.token), answer, from: self.from })
    }

    /// Why it does not do where it was granted less than is needed.
    pub fn insufficient(&self) -> CredentialFault {
        CredentialFault::Insufficient { decision: Some(self.token.claims.jti.clone()) }
    }

    /// What an upload remembers of it that is opened with it `now`.
    pub fn opening(&self, now: Timestamp) -> OpeningToken {
        let Claims { credential, as_of, .. } = &self.token.claims;
        let (credential, as_of) = (credential.clone(), as_of.clone());
        OpeningToken {
            credential,
            until: self.answer.until,
            reach: self.answer.reach.clone(),
            as_of,
            at: now.as_second(),
        }
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
        let Credentials::Token { text: token, .. } = credentials else {
            return Err(refused(CredentialFault::Missing));
        };
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
            return Err(Refusal::Unauthorized { fault: confirmed.insufficient(), scopes: scopes() });
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
        let is_open = confirmed.answer.reach.opens(name, confirmed.from);
        if !is_open || !entry.is_some_and(|entry| actions.iter().all(|action| entry.allows(*action))) {
            return Err(Refusal::Unauthorized { fault: confirmed.insufficient(), scopes: scopes() });
        }
        Ok(confirmed)
    }

    /// The token of `confirmed` as the index confirms it now, in time for who holds a lock; `None` if it does no more.
    pub(super) async fn confirmed_again(&self, confirmed: &Confirmed) -> Result<Option<Confirmed>, Refusal> {
        // No answer to an earlier question will do.
        let asking = self.access.confirm(&confirmed.token, self.index(), false, |_| false);
        let answer = timeout(UNDER_LOCK, asking).await;
        let answer = answer.map_err(|_| IndexUnavailable("no answer in time".to_owned()))??;
        Ok(confirmed.anew(answer))
    }

    /// The id of `name`, if the token of `confirmed` allows pulling from it. The index is asked again where it had not
    /// allocated the name: this very client may have pushed to it a moment ago.
    pub(super) async fn pullable(
        &self,
        confirmed: &Confirmed,
        name: &RepositoryName,
    ) -> Result<Option<String>, Refusal> {
        if !confirmed.may_pull(name) || confirmed.id_of(name).is_some() {
            return Ok(confirmed.pullable(name));
        }
        let allocated = |answer: &IntrospectAnswer| answer.repositories.contains_key(name);
        let answer = self.access.confirm(&confirmed.token, self.index(), false, allocated).await?;
        Ok(confirmed.anew(answer).and_then(|confirmed| confirmed.pullable(name)))
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

    /// Leave for the repository `name` alone, by a token of which nothing but its time is over, for whoever opened an upload
    /// there: nothing voids the token that opened it, nor this one.
    pub(super) async fn outlived(
        &self,
        credentials: &Credentials<'_>,
        name: &RepositoryName,
        opener: &Opener,
        now: Timestamp,
    ) -> Result<Option<Confirmed>, Refusal> {
        let (Credentials::Token { text, from }, Some(opening)) = (credentials, &opener.token) else { return Ok(None) };
        let Some(claims) = self.access.expired(text, self.index(), now).await? else { return Ok(None) };
        let actions = [Action::Pull, Action::Push];
        let is_allowed = claims.repository(name).is_some_and(|entry| {
            let is_there = entry.id.as_ref().is_none_or(|id| *id == opener.repository_id);
            is_there && actions.iter().all(|action| entry.allows(*action))
        });
        let is_over = opening.until.is_some_and(|until| until <= now.as_second())
            || now.as_second().saturating_sub(opening.at) >= OUTLIVES.as_secs();
        if claims.sub != opener.subject || !is_allowed || is_over || !opening.reach.opens(name, *from) {
            return Ok(None);
        }
        let entry = Access {
            resource: ResourceType::Repository,
            name: name.to_string(),
            actions: actions.into(),
            id: Some(opener.repository_id.clone()),
        };
        let (as_of, credential) = (opening.as_of.clone(), opening.credential.clone());
        let first = Claims { as_of, credential, access: vec![entry], ..claims.clone() };
        let stands =
            self.access.stands_since(&first.as_of, &first)? && self.access.stands_since(&claims.as_of, &claims)?;
        Ok(stands.then(|| Confirmed::of_opener(first, name, opener, *from)))
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
        let Credentials::Token { text: token, from } = credentials else {
            return Err(refused(CredentialFault::Missing));
        };
        let token = self.access.known(token, self.index(), now).await.map_err(|error| match error {
            TokenError::Invalid => refused(CredentialFault::Invalid),
            TokenError::NoKeys(unavailable) => unavailable.into(),
        })?;
        let answer = self.access.confirm(&token, self.index(), only_reads, enough).await?;
        // What ends by its time no row of the feed tells.
        let is_over = answer.until.is_some_and(|until| until <= now.as_second());
        let is_good = answer.active && !is_over && answer.reach.admits(*from);
        if is_good { Ok(Confirmed { token, answer, from: *from }) } else { Err(refused(CredentialFault::Invalid)) }
    }
}
