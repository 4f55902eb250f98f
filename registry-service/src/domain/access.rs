//! Whether a token is good, here and now: checked by its signature, then confirmed with the index.
//!
//! The index decides; what is remembered of its answers lasts a second, and only saves asking it for each of a client's
//! parallel requests. Must not know rights: true and false come from the index, the list of actions from the token.

use super::keys::{TokenError, TokenVerifier};
use crate::store::index::{Index, IndexUnavailable};
use jiff::Timestamp;
use moka::sync::Cache;
use shared::Claims;
use shared::claims::LEEWAY_SECONDS;
use shared::internal::IntrospectAnswer;
use shared::moves::MoveRequest;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer of the index holds.
const REMEMBERED: Duration = Duration::from_secs(1);

/// After the index failed to answer, it is not asked again for so long: waiting requests would only pile up.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// An index that takes longer to say true or false does not answer.
const SILENCE: Duration = Duration::from_secs(2);

/// Tokens remembered at once.
const TOKENS: u64 = 20_000;

/// Longer than a token lives with its leeway: a token is not kept for nothing.
const TOKEN_KEPT: Duration = Duration::from_mins(7);

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

/// A token that was verified.
pub(super) struct KnownToken {
    text: String,
    pub(super) claims: Claims,
    confirmed: Mutex<Option<Confirmation>>,
    /// Held while the index is asked, so that it is asked once for all who wait.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Confirmation {
    at: Instant,
    answer: Arc<IntrospectAnswer>,
}

impl AccessControl {
    /// Takes tokens of `issuer` for `service`.
    pub fn new(issuer: &str, service: &str, grace: Duration) -> Self {
        Self {
            verifier: TokenVerifier::new(issuer, service),
            tokens: Cache::builder().max_capacity(TOKENS).time_to_live(TOKEN_KEPT).build(),
            grace,
            link: Mutex::new(Link { last_answer: None, failed: None }),
        }
    }

    /// The token, verified before or now, if it is not over.
    pub(super) async fn known(
        &self,
        token: &str,
        index: &dyn Index,
        now: Timestamp,
    ) -> Result<Arc<KnownToken>, TokenError> {
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

    /// What the index wishes by `token`, which it alone can have signed. Nothing is remembered of it.
    pub(super) async fn wish(&self, token: &str, index: &dyn Index) -> Result<MoveRequest, TokenError> {
        self.verifier.verify_wish(token, index).await
    }

    /// The index's answer about `known`, at most a second old. `enough` says whether a remembered answer does.
    pub(super) async fn confirm(
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
        let under_grace = || {
            let confirmation = known.confirmation()?;
            (only_reads && confirmation.answer.active && self.within_grace()).then_some(confirmation.answer)
        };
        let _asking = match known.asking.try_lock() {
            Ok(asking) => asking,
            // Somebody is finding out whether the index is back.
            Err(_)
                if self.index_is_silent()
                    && let Some(answer) = under_grace() =>
            {
                return Ok(answer);
            }
            Err(_) => known.asking.lock().await,
        };
        if let Some(answer) = remembered() {
            return Ok(answer);
        }
        let asked = Instant::now();
        match self.ask(known, index).await {
            Ok(answer) => {
                let answer = Arc::new(answer);
                // The rows may have changed since it was asked, not only since it answered.
                *lock(&known.confirmed) = Some(Confirmation { at: asked, answer: Arc::clone(&answer) });
                Ok(answer)
            }
            Err(unavailable) => under_grace().ok_or(unavailable),
        }
    }

    async fn ask(&self, known: &KnownToken, index: &dyn Index) -> Result<IntrospectAnswer, IndexUnavailable> {
        if let Some((at, unavailable)) = &mut lock(&self.link).failed {
            if at.elapsed() < ASK_AGAIN {
                return Err(unavailable.clone());
            }
            // This request finds out whether the index is back; the others need not wait for that.
            *at = Instant::now();
        }
        let asked = Instant::now();
        let answer = match tokio::time::timeout(SILENCE, index.introspect(&known.text)).await {
            Ok(answer) => answer,
            Err(_) => Err(IndexUnavailable("no answer in time".to_owned())),
        };
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

    fn index_is_silent(&self) -> bool {
        lock(&self.link).failed.is_some()
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

/// No code panics while it holds one of these locks; a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
