//! Whether a token is good, here and now: checked by its signature, then confirmed with the index.
//!
//! The index decides; what is remembered of its answers lasts a second, and only saves asking it for each of a client's
//! parallel requests. Those that wait together get one answer: on a machine that is short of time each for itself would
//! wait for all before it. Must not know rights: true and false come from the index, the list of actions from the token.

use super::keys::{TokenError, TokenVerifier};
use crate::store::index::{Index, IndexUnavailable};
use foldhash::fast::RandomState;
use jiff::Timestamp;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use shared::Claims;
use shared::claims::LEEWAY_SECONDS;
use shared::internal::IntrospectAnswer;
use shared::moves::MoveRequest;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer of the index holds.
const REMEMBERED: Duration = Duration::from_secs(1);

/// After the index failed to answer, it is not asked again for so long: waiting requests would only pile up.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Whoever may go on without the index waits no longer for it. Everybody else waits as long as the call may take: late is
/// better than refused, and a machine that is short of time makes everything late.
const SILENCE: Duration = Duration::from_secs(2);

/// Tokens remembered at once.
const TOKENS: usize = 20_000;

/// After so many new tokens those that are over are forgotten.
const FORGET_EVERY: usize = 1_000;

/// Checks tokens, and remembers those it has seen.
pub struct AccessControl {
    verifier: TokenVerifier,
    tokens: Cache<String, Arc<KnownToken>, UnitWeighter, RandomState>,
    /// Tokens that were new since those that were over were forgotten.
    new_tokens: AtomicUsize,
    /// How long pulls go on with a token confirmed before, after the index's last good answer.
    grace: Duration,
    link: Mutex<Link>,
}

/// What is known of the index itself.
struct Link {
    last_answer: Option<Instant>,
    /// Since when it has not answered in the time of those who may go on without.
    silent: Option<Instant>,
    /// When a call failed last, if none has succeeded since.
    failed: Option<(Instant, IndexUnavailable)>,
}

/// A token that was verified.
pub(super) struct KnownToken {
    text: String,
    pub(super) claims: Claims,
    confirmed: Mutex<Option<Confirmation>>,
    /// Held while the index is asked, so that it is asked once for all who wait.
    asking: tokio::sync::Mutex<()>,
    /// Held while a name is allocated, for the same reason.
    pub(super) allocating: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Confirmation {
    asked: Instant,
    answer: Arc<IntrospectAnswer>,
}

impl AccessControl {
    /// Takes tokens of `issuer` for `service`.
    pub fn new(issuer: &str, service: &str, grace: Duration) -> Self {
        let (hasher, lifecycle) = (RandomState::default(), DefaultLifecycle::default());
        Self {
            verifier: TokenVerifier::new(issuer, service),
            tokens: Cache::with(TOKENS, TOKENS as u64, UnitWeighter, hasher, lifecycle),
            new_tokens: AtomicUsize::new(0),
            grace,
            link: Mutex::new(Link { last_answer: None, silent: None, failed: None }),
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
            if self.new_tokens.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
                self.tokens.retain(|_, known| !known.is_over(now));
            }
            self.tokens.insert(token.to_owned(), Arc::clone(&known));
            known
        };
        if known.is_over(now) { Err(TokenError::Invalid) } else { Ok(known) }
    }

    /// What the index wishes by `token`, which it alone can have signed. Nothing is remembered of it.
    pub(super) async fn wish(&self, token: &str, index: &dyn Index) -> Result<MoveRequest, TokenError> {
        self.verifier.verify_wish(token, index).await
    }

    /// The index's answer about `known`, at most a second older than the request. `enough` says whether a remembered
    /// answer does.
    pub(super) async fn confirm(
        &self,
        known: &KnownToken,
        index: &dyn Index,
        only_reads: bool,
        enough: impl Fn(&IntrospectAnswer) -> bool,
    ) -> Result<Arc<IntrospectAnswer>, IndexUnavailable> {
        let arrived = Instant::now();
        let remembered = || {
            let Confirmation { asked, answer } = known.confirmation()?;
            // What was asked when this request was there already is its answer too, whatever it says.
            let serves = asked >= arrived || arrived.duration_since(asked) < REMEMBERED && enough(&answer);
            serves.then_some(answer)
        };
        if let Some(answer) = remembered() {
            return Ok(answer);
        }
        let ask = async {
            let _asking = known.asking.lock().await;
            match remembered() {
                Some(answer) => Ok(answer),
                None => self.ask(known, index).await,
            }
        };
        let under_grace = || {
            let answer = known.confirmation()?.answer;
            (only_reads && answer.active && self.within_grace()).then_some(answer)
        };
        let Some(answer) = under_grace() else { return ask.await };
        // Somebody is finding out whether the index is back, or did just now.
        if let Some(since) = self.silence()
            && (since.elapsed() < ASK_AGAIN || known.asking.try_lock().is_err())
        {
            return Ok(answer);
        }
        let answered = tokio::time::timeout(SILENCE, ask).await.unwrap_or_else(|_| {
            lock(&self.link).silent = Some(Instant::now());
            Err(IndexUnavailable("no answer in time".to_owned()))
        });
        answered.or_else(|unavailable| under_grace().ok_or(unavailable))
    }

    async fn ask(&self, known: &KnownToken, index: &dyn Index) -> Result<Arc<IntrospectAnswer>, IndexUnavailable> {
        if let Some((at, unavailable)) = &mut lock(&self.link).failed {
            if at.elapsed() < ASK_AGAIN {
                return Err(unavailable.clone());
            }
            // This request finds out whether the index is back; the others need not wait for that.
            *at = Instant::now();
        }
        // The rows may have changed since it was asked, not only since it answered.
        let asked = Instant::now();
        let answered = index.introspect(&known.text).await;
        let mut link = lock(&self.link);
        match answered {
            Ok(answer) => {
                link.last_answer = link.last_answer.max(Some(asked));
                (link.silent, link.failed) = (None, None);
                let answer = Arc::new(answer);
                *lock(&known.confirmed) = Some(Confirmation { asked, answer: Arc::clone(&answer) });
                Ok(answer)
            }
            Err(unavailable) => {
                let now = Instant::now();
                (link.silent, link.failed) = (Some(now), Some((now, unavailable.clone())));
                Err(unavailable)
            }
        }
    }

    fn silence(&self) -> Option<Instant> {
        lock(&self.link).silent
    }

    fn within_grace(&self) -> bool {
        lock(&self.link).last_answer.is_some_and(|last| last.elapsed() < self.grace)
    }
}

impl KnownToken {
    fn new(text: &str, claims: Claims) -> Self {
        Self {
            text: text.to_owned(),
            claims,
            confirmed: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            allocating: tokio::sync::Mutex::default(),
        }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        let now = u64::try_from(now.as_second()).unwrap_or_default();
        self.claims.exp.saturating_add(LEEWAY_SECONDS) <= now
    }

    fn confirmation(&self) -> Option<Confirmation> {
        lock(&self.confirmed).clone()
    }
}

/// No code panics while it holds one of these locks; a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
