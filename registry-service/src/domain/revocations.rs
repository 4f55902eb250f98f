//! What this process has heard of the index's feed of revocations, and whether it still hears.
//!
//! A token that the index has confirmed stands until a row of the feed names it, as long as the feed is heard. Must not
//! decide what becomes of a token that does not, nor of one while nothing is heard.

use crate::store::index::Index;
use shared::Claims;
use shared::internal::IntrospectAnswer;
use shared::revocations::{FeedAnswer, Position, Revocation};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How old the question may be to which the last answer came: for no longer than this goes on what was taken away.
const HEARD: Duration = Duration::from_secs(2);

/// After a failure the index is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// The feed, as this process has heard it.
pub struct Feed {
    heard: RwLock<Heard>,
    /// Another number after each change: what was looked at under the same one need not be looked at again.
    age: AtomicU64,
    /// Microseconds from `begun` to the last question whose answer left nothing out; 0 before the first.
    asked: AtomicU64,
    begun: Instant,
}

#[derive(Default)]
struct Heard {
    position: Position,
    /// Grows when what was confirmed before counts no more: the numbers are of another database.
    generation: u64,
    /// In the order of their numbers.
    rows: VecDeque<Revocation>,
}

impl Default for Feed {
    /// Nothing is heard yet.
    fn default() -> Self {
        Self { heard: RwLock::default(), age: AtomicU64::new(1), asked: AtomicU64::new(0), begun: Instant::now() }
    }
}

impl Feed {
    /// Listens to `index` until the process ends.
    pub async fn follow(self: Arc<Self>, index: Arc<dyn Index>) {
        let mut is_heard = true;
        loop {
            let asked = Instant::now();
            let position = self.read(|heard| heard.position.clone());
            match index.revocations(&position).await {
                Ok(answer) => {
                    is_heard = true;
                    self.take(answer, asked);
                }
                Err(unavailable) => {
                    if std::mem::replace(&mut is_heard, false) {
                        tracing::warn!(error = %unavailable, "what is revoked is not heard; the index is asked of each token");
                    }
                    tokio::time::sleep(ASK_AGAIN).await;
                }
            }
        }
    }

    /// Whether everything is heard that was revoked two seconds before `now`.
    pub fn is_heard(&self, now: Instant) -> bool {
        self.last_heard().is_some_and(|asked| now.saturating_duration_since(asked) < HEARD)
    }

    /// When the last answer was asked for.
    pub fn last_heard(&self) -> Option<Instant> {
        let asked = self.asked.load(Ordering::Acquire);
        (asked > 0).then(|| self.begun + Duration::from_micros(asked))
    }

    /// Which numbers count: a confirmation of another generation says nothing any more.
    pub fn generation(&self) -> u64 {
        self.read(|heard| heard.generation)
    }

    /// Whether nothing that is heard voids `claims`, which the index confirmed with `answer` in `generation`. `checked` is
    /// remembered beside the token.
    pub fn stands(&self, claims: &Claims, answer: &IntrospectAnswer, generation: u64, checked: &AtomicU64) -> bool {
        // Before the rows are read: they may be newer than it, which does no harm.
        let age = self.age.load(Ordering::Acquire);
        if checked.load(Ordering::Relaxed) == age {
            return true;
        }
        let stands = self.read(|heard| heard.generation == generation && !heard.voids(answer.as_of, claims, answer));
        if stands {
            checked.store(age, Ordering::Relaxed);
        }
        stands
    }

    /// Whether nothing that is heard voids what stood at `position` and says what `claims` do.
    pub fn stands_since(&self, position: &Position, claims: &Claims) -> bool {
        self.read(|heard| {
            heard.position.incarnation == position.incarnation
                && heard.position.number >= position.number
                && !heard.voids(position.number, claims, &IntrospectAnswer::inactive())
        })
    }

    fn take(&self, answer: FeedAnswer, asked: Instant) {
        let mut heard = self.heard.write().unwrap_or_else(PoisonError::into_inner);
        let is_first = heard.position == Position::default();
        let is_same = heard.position.incarnation == answer.position.incarnation;
        // A database that was put back in its place without a new name: its numbers are given a second time.
        let is_behind = is_same && answer.position.number < heard.position.number;
        if !is_first && (!is_same || is_behind) {
            heard.generation += 1;
        }
        if answer.is_whole || !is_same || is_behind {
            heard.rows.clear();
        }
        let is_news = !answer.revocations.is_empty() || !is_same || is_behind;
        heard.rows.extend(answer.revocations);
        while heard.rows.front().is_some_and(|row| row.number < answer.oldest) {
            heard.rows.pop_front();
        }
        let is_all = !answer.more && !is_behind;
        // Asked about its beginning, the index tells all.
        heard.position = if is_behind { Position { number: 0, ..answer.position } } else { answer.position };
        drop(heard);
        if is_news {
            self.age.fetch_add(1, Ordering::AcqRel);
        }
        if is_all {
            let asked = asked.saturating_duration_since(self.begun).as_micros().max(1);
            self.asked.store(u64::try_from(asked).unwrap_or(u64::MAX), Ordering::Release);
        }
    }

    fn read<T>(&self, look: impl FnOnce(&Heard) -> T) -> T {
        look(&self.heard.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Heard {
    /// Whether a row after `number` names the token.
    fn voids(&self, number: u64, claims: &Claims, answer: &IntrospectAnswer) -> bool {
        let first = self.rows.partition_point(|row| row.number <= number);
        self.rows.range(first..).any(|row| row.revoked.names(claims, &answer.repositories))
    }
}
