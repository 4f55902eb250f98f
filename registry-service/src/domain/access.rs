//! Who may do what, here and now: a token is checked by its signature, then confirmed with the index.
//!
//! The index decides; what is remembered of its answers lasts a second, and only saves asking it for each of a client's
//! parallel requests. Must not know rights: true and false come from the index, the list of actions from the token.

use super::keys::{TokenError, TokenVerifier};
use super::refusal::{Refusal, TokenFault};
use super::{Registry, Repository};
use crate::store::index::{Index, IndexUnavailable};
use jiff::Timestamp;
use moka::sync::Cache;
use shared::claims::LEEWAY_SECONDS;
use shared::internal::{AllocateAnswer, AllocateRequest, IntrospectAnswer};
use shared::{Action, Claims, RepositoryName, Scope};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer of the index holds.
const REMEMBERED: Duration = Duration::from_secs(1);

/// After the index failed to answer, it is not asked again for so long: waiting requests would only pile up.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Tokens remembered at once, the oldest forgotten first.
const TOKENS: u64 = 20_000;

/// Checks tokens, and remembers those it has seen.
pub struct AccessControl {
    verifier: TokenVerifier,
    tokens: Cache<String, Arc<KnownToken>>,
    /// How long pulls go on with a token confirmed before, after the index's last good answer.
    grace: Duration,
    link: Mutex<Link>,
}

/// What is known of the index itself.
struct Link {
    last_answer: Option<Instant>,
    failed: Option<(Instant, IndexUnavailable)>,
}

struct KnownToken {
    text: String,
    claims: Claims,
    confirmed: Mutex<Option<Confirmation>>,
    /// Held while the index is asked, so that it is asked once for all who wait.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Confirmation {
    at: Instant,
    answer: Arc<IntrospectAnswer>,
}

/// A confirmed token, with the repository it was needed for.
pub struct Permit {
    /// The repository.
    pub repository: Repository,
    /// The account; empty for an anonymous client.
    pub subject: String,
    token: Arc<KnownToken>,
    answer: Arc<IntrospectAnswer>,
}

impl AccessControl {
    /// Takes tokens of `issuer` for `service`.
    pub fn new(issuer: &str, service: &str, grace: Duration) -> Self {
        Self {
            verifier: TokenVerifier::new(issuer, service),
            tokens: Cache::new(TOKENS),
            grace,
            link: Mutex::new(Link { last_answer: None, failed: None }),
        }
    }

    async fn known(&self, token: &str, index: &dyn Index, now: Timestamp) -> Result<Arc<KnownToken>, TokenError> {
        let known = if let Some(known) = self.tokens.get(token) {
            known
        } else {
            let known = Arc::new(KnownToken::new(token, self.verifier.verify(token, index).await?));
            self.tokens.insert(token.to_owned(), Arc::clone(&known));
            known
        };
        let now = u64::try_from(now.as_second()).unwrap_or_default();
        if known.claims.exp.saturating_add(LEEWAY_SECONDS) <= now {
            return Err(TokenError::Invalid);
        }
        Ok(known)
    }

    /// The index's answer about `known`, at most a second old. `enough` says whether a remembered answer does.
    async fn confirm(
        &self,
        known: &KnownToken,
        index: &dyn Index,
        only_reads: bool,
        enough: impl Fn(&IntrospectAnswer) -> bool,
    ) -> Result<Arc<IntrospectAnswer>, IndexUnavailable> {
        let remembered = || {
            let confirmation = known.confirmation()?;
            (confirmation.at.elapsed() < REMEMBERED && enough(&confirmation.answer)).then_some(confirmation.answer)
        };
        if let Some(answer) = remembered() {
            return Ok(answer);
        }
        let _asking = known.asking.lock().await;
        if let Some(answer) = remembered() {
            return Ok(answer);
        }
        match self.ask(known, index).await {
            Ok(answer) => {
                let answer = Arc::new(answer);
                *lock(&known.confirmed) = Some(Confirmation { at: Instant::now(), answer: Arc::clone(&answer) });
                Ok(answer)
            }
            Err(unavailable) => match known.confirmation() {
                Some(confirmation) if only_reads && confirmation.answer.active && self.within_grace() => {
                    Ok(confirmation.answer)
                }
                _ => Err(unavailable),
            },
        }
    }

    async fn ask(&self, known: &KnownToken, index: &dyn Index) -> Result<IntrospectAnswer, IndexUnavailable> {
        if let Some((_, unavailable)) = lock(&self.link).failed.as_ref().filter(|(at, _)| at.elapsed() < ASK_AGAIN) {
            return Err(unavailable.clone());
        }
        let asked = Instant::now();
        let answer = index.introspect(&known.text).await;
        let mut link = lock(&self.link);
        match &answer {
            Ok(_) => {
                link.last_answer = link.last_answer.max(Some(asked));
                link.failed = None;
            }
            Err(unavailable) => link.failed = Some((Instant::now(), unavailable.clone())),
        }
        answer
    }

    fn within_grace(&self) -> bool {
        lock(&self.link).last_answer.is_some_and(|last| last.elapsed() < self.grace)
    }
}

impl KnownToken {
    fn new(text: &str, claims: Claims) -> Self {
        Self { text: text.to_owned(), claims, confirmed: Mutex::new(None), asking: tokio::sync::Mutex::new(()) }
    }

    fn confirmation(&self) -> Option<Confirmation> {
        lock(&self.confirmed).clone()
    }
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

    /// Admits to a repository that exists, for every one of `actions`. `scopes` is what the client is told to ask for.
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

/// No code panics while it holds one of these locks; a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
