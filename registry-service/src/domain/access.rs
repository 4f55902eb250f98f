//! Whether a token is good, here and now: checked by its signature, then confirmed with the index.
//!
//! The index decides, once for each token: from then on its feed of revocations (`revocations.rs`) says what ends. While
//! that is not heard the index is asked again, and what is remembered of its answers lasts a second. Those that wait
//! together get one answer: on a machine that is short of time each for itself would wait for all before it. Must not
//! know rights: true and false come from the index, the list of actions from the token.

use super::keys::{TokenError, TokenVerifier};
use super::revocations::Feed;
use crate::store::index::{Index, IndexUnavailable};
use foldhash::fast::RandomState;
use jiff::Timestamp;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use shared::Claims;
use shared::claims::LEEWAY_SECONDS;
use shared::internal::IntrospectAnswer;
use shared::moves::MoveRequest;
use shared::revocations::Position;
use std::convert::Infallible;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer of the index holds that its feed says nothing of.
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
    feed: Arc<Feed>,
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
    /// The age of the feed at which it was looked through last.
    checked: AtomicU64,
    /// Held while the index is asked, so that it is asked once for all who wait.
    asking: tokio::sync::Mutex<()>,
    /// Held while a name is allocated, for the same reason.
    pub(super) allocating: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Confirmation {
    asked: Instant,
    /// Of the feed, when it was asked.
    generation: u64,
    answer: Arc<IntrospectAnswer>,
}

impl AccessControl {
    /// Takes tokens of `issuer` for `service`, as long as `feed` says nothing else.
    pub fn new(issuer: &str, service: &str, grace: Duration, feed: Arc<Feed>) -> Self {
        let (hasher, lifecycle) = (RandomState::default(), DefaultLifecycle::default());
        Self {
            verifier: TokenVerifier::new(issuer, service),
            tokens: Cache::with(TOKENS, TOKENS as u64, UnitWeighter, hasher, lifecycle),
            forgot_at: AtomicI64::new(0),
            grace,
            link: Mutex::new(Link { last_answer: None, silent: None, failed: None }),
            feed,
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

    /// What `token` says, if nothing else is wrong with it than that its time is over.
    pub(super) async fn expired(
        &self,
        token: &str,
        index: &dyn Index,
        now: Timestamp,
    ) -> Result<Option<Claims>, IndexUnavailable> {
        match self.verifier.verify_but_for_its_end(token, index).await {
            Ok(claims) => Ok(is_over(&claims, now).then_some(claims)),
            Err(TokenError::Invalid) => Ok(None),
            Err(TokenError::NoKeys(unavailable)) => Err(unavailable),
        }
    }

    /// Whether nothing that is heard of the index's feed voids what stood at `position` and says what `claims` do; fails
    /// while nothing is heard.
    pub(super) fn stands_since(&self, position: &Position, claims: &Claims) -> Result<bool, IndexUnavailable> {
        if !self.feed.is_heard(Instant::now()) {
            return Err(IndexUnavailable("what it revokes is not heard".to_owned()));
        }
        Ok(self.feed.stands_since(position, claims))
    }

    /// What the index wishes by `token`, which it alone can have signed. Nothing is remembered of it.
    pub(super) async fn wish(&self, token: &str, index: &dyn Index) -> Result<MoveRequest, TokenError> {
        self.verifier.verify_wish(token, index).await
    }

    /// The index's answer about `known`: one that its feed has not ended since, or at most a second older than the request.
    /// `enough` says whether a remembered answer does.
    pub(super) async fn confirm(
        &self,
        known: &KnownToken,
        index: &dyn Index,
        only_reads: bool,
        enough: impl Fn(&IntrospectAnswer) -> bool,
    ) -> Result<Arc<IntrospectAnswer>, IndexUnavailable> {
        let arrived = Instant::now();
        let remembered = || {
            let confirmation = known.confirmation()?;
            let Confirmation { asked, answer, .. } = &confirmation;
            // What was asked when this request was there already is its answer too, whatever it says.
            if *asked >= arrived {
                return Some(Arc::clone(answer));
            }
            if !enough(answer) {
                return None;
            }
            if answer.active && self.feed.is_heard(arrived) {
                let stands = self.stands(known, &confirmation);
                return Some(if stands { Arc::clone(answer) } else { Arc::new(IntrospectAnswer::inactive()) });
            }
            (arrived.duration_since(*asked) < REMEMBERED).then(|| Arc::clone(answer))
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
            let confirmation = known.confirmation()?;
            let goes_on = only_reads && confirmation.answer.active && self.within_grace();
            (goes_on && self.stands(known, &confirmation)).then_some(confirmation.answer)
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
        let (asked, generation) = (Instant::now(), self.feed.generation());
        let answered = index.introspect(&known.text).await;
        let mut link = lock(&self.link);
        match answered {
            Ok(answer) => {
                link.last_answer = link.last_answer.max(Some(asked));
                (link.silent, link.failed) = (None, None);
                let answer = Arc::new(answer);
                *lock(&known.confirmed) = Some(Confirmation { asked, generation, answer: Arc::clone(&answer) });
                Ok(answer)
            }
            Err(unavailable) => {
                let now = Instant::now();
                (link.silent, link.failed) = (Some(now), Some((now, unavailable.clone())));
                Err(unavailable)
            }
        }
    }

    /// Whether nothing that is heard of the feed has ended what the index confirmed.
    fn stands(&self, known: &KnownToken, confirmation: &Confirmation) -> bool {
        self.feed.stands(&known.claims, &confirmation.answer, confirmation.generation, &known.checked)
    }

    fn silence(&self) -> Option<Instant> {
        lock(&self.link).silent
    }

    fn within_grace(&self) -> bool {
        let last = lock(&self.link).last_answer.max(self.feed.last_heard());
        last.is_some_and(|last| last.elapsed() < self.grace)
    }
}

impl KnownToken {
    pub(super) fn new(text: Arc<str>, claims: Claims) -> Self {
        Self {
            text,
            claims,
            confirmed: Mutex::default(),
            checked: AtomicU64::new(0),
            asking: tokio::sync::Mutex::default(),
            allocating: tokio::sync::Mutex::default(),
        }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        is_over(&self.claims, now)
    }

    fn confirmation(&self) -> Option<Confirmation> {
        lock(&self.confirmed).clone()
    }
}

fn is_over(claims: &Claims, now: Timestamp) -> bool {
    let now = u64::try_from(now.as_second()).unwrap_or_default();
    claims.exp.saturating_add(LEEWAY_SECONDS) <= now
}

/// No code panics while it holds one of these locks; a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
