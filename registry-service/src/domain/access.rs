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
use std::convert::Infallible;
use std::sync::atomic::{AtomicI64, Ordering};
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

/// Seconds after which a new token has those forgotten that are over.
const FORGET_EVERY: u64 = 60;

/// Checks tokens, and remembers those it has seen.
pub struct AccessControl {
    verifier: TokenVerifier,
    tokens: Cache<Arc<str>, Arc<KnownToken>, UnitWeighter, RandomState>,
    /// When those that were over were forgotten last, in seconds since 1970.
    forgot_at: AtomicI64,
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
    text: Arc<str>,
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
            forgot_at: AtomicI64::new(0),
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
            self.remember(token, self.verifier.verify(token, index).await?, now)
        };
        if known.is_over(now) { Err(TokenError::Invalid) } else { Ok(known) }
    }

    fn remember(&self, token: &str, claims: Claims, now: Timestamp) -> Arc<KnownToken> {
        if now.as_second().abs_diff(self.forgot_at.load(Ordering::Relaxed)) >= FORGET_EVERY {
            self.forgot_at.store(now.as_second(), Ordering::Relaxed);
            self.tokens.retain(|_, known| !known.is_over(now));
        }
        let text: Arc<str> = token.into();
        // Of first requests that come at once, all must share what the first one made: its locks and its answer.
        let Ok(known) = self
            .tokens
            .get_or_insert_with(&text, || Ok::<_, Infallible>(Arc::new(KnownToken::new(Arc::clone(&text), claims))));
        known
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
    fn new(text: Arc<str>, claims: Claims) -> Self {
        Self {
            text,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(exp: u64) -> Claims {
        Claims {
            iss: "index".to_owned(),
            sub: "alice".to_owned(),
            aud: "registry".to_owned(),
            exp,
            nbf: 0,
            iat: 0,
            jti: "1".to_owned(),
            credential: None,
            access: Vec::new(),
        }
    }

    #[test]
    fn a_token_that_is_over_is_forgotten_when_another_comes() {
        let access = AccessControl::new("index", "registry", Duration::ZERO);
        let at = |second| Timestamp::from_second(second).unwrap();
        access.remember("short", claims(1_000), at(900));
        access.remember("long", claims(2_000), at(901));
        let known = |token: &str| access.tokens.get(token).is_some();
        access.remember("early", claims(2_000), at(959));
        assert!(known("short") && known("long"));
        access.remember("late", claims(2_000), at(1_060));
        assert!(!known("short") && known("long") && known("late"));
    }

    #[test]
    fn whoever_brings_a_token_at_once_with_others_shares_it_with_them() {
        let access = AccessControl::new("index", "registry", Duration::ZERO);
        let at = Timestamp::from_second(900).unwrap();
        let first = access.remember("token", claims(1_000), at);
        assert!(Arc::ptr_eq(&first, &access.remember("token", claims(1_000), at)));
    }
}
