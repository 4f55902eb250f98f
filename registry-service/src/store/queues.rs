//! The queues of this process for its locks: first come, first served. Only who has its turn tries the lock itself, which
//! other processes may hold. And for work that one does for all who come meanwhile.
//!
//! Must not touch a file. A turn goes with the lock that was taken in it, and ends with that.

use super::intents::IntentTarget;
use crate::model::upload::UploadId;
use shared::{Digest, RepositoryName};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{MutexGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// Who comes to a longer queue is better told to come again.
const LONGEST: usize = 4096;

/// Queues that are kept before those are looked for in which nobody stands any more.
const FEW: usize = 1024;

/// What is queued for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Queue {
    /// An upload.
    Upload(UploadId),
    /// A repository.
    Repository(RepositoryName),
    /// An intent.
    Intent(RepositoryName, IntentTarget),
    /// The list of moves.
    Moves,
    /// The reading of a repository's list of tags.
    Tags(RepositoryName),
    /// The hashing of a blob that many read for the first time.
    Check(Digest),
}

/// How something is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// With everybody else who shares it.
    Shared,
    /// Alone. Whoever comes later waits, to share it too.
    Exclusive,
}

/// A queue, which is fair; inside, what the one holds who tries the lock for all that share the turn.
type Line = RwLock<tokio::sync::Mutex<()>>;

/// Somebody's turn; the last clone that goes ends it.
#[derive(Debug, Clone)]
pub struct Turn(Arc<Leave>);

#[derive(Debug)]
enum Leave {
    Shared(OwnedRwLockReadGuard<tokio::sync::Mutex<()>>),
    Exclusive(OwnedRwLockWriteGuard<tokio::sync::Mutex<()>>),
}

/// Something locked, with which a turn is kept.
pub trait Queued {
    /// Keeps `turn` until the lock is released.
    fn keep(&mut self, turn: Turn);
}

/// All queues of one storage.
#[derive(Default)]
pub struct Queues {
    lines: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    by_queue: HashMap<Queue, Weak<Line>>,
    /// How many there are when those without anybody are dropped.
    full_at: usize,
}

impl Turn {
    /// Waits until this one is to try the lock again, of all that share the turn.
    pub async fn head(&self) -> MutexGuard<'_, ()> {
        match &*self.0 {
            Leave::Shared(head) => head.lock().await,
            Leave::Exclusive(head) => head.lock().await,
        }
    }
}

impl Queues {
    /// Waits until it is the caller's turn, after all who came before. `None`: too many did.
    pub async fn turn(&self, queue: Queue, mode: Mode) -> Option<Turn> {
        let line = self.line(queue);
        if Arc::strong_count(&line) > LONGEST {
            return None;
        }
        let leave = match mode {
            Mode::Shared => Leave::Shared(line.read_owned().await),
            Mode::Exclusive => Leave::Exclusive(line.write_owned().await),
        };
        Some(Turn(Arc::new(leave)))
    }

    fn line(&self, queue: Queue) -> Arc<Line> {
        // No code panics while it holds this lock; a poisoned one is as good as any.
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.by_queue.get(&queue).and_then(Weak::upgrade) {
            return line;
        }
        if lines.by_queue.len() >= lines.full_at {
            lines.by_queue.retain(|_, line| line.strong_count() > 0);
            lines.full_at = FEW.max(lines.by_queue.len() * 2);
        }
        let line = Arc::default();
        lines.by_queue.insert(queue, Arc::downgrade(&line));
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn app() -> Queue {
        Queue::Repository(RepositoryName::parse("acme/app").unwrap())
    }

    #[tokio::test]
    async fn who_comes_first_is_served_first() {
        let queues = Arc::new(Queues::default());
        let served = Arc::new(Mutex::new(Vec::new()));
        let first = queues.turn(app(), Mode::Exclusive).await.unwrap();
        let mut waiting = Vec::new();
        for number in 0..100 {
            let (queues, served) = (Arc::clone(&queues), Arc::clone(&served));
            waiting.push(tokio::spawn(async move {
                let _turn = queues.turn(app(), Mode::Exclusive).await.unwrap();
                served.lock().unwrap().push(number);
            }));
            tokio::task::yield_now().await;
        }
        let clone = first.clone();
        drop(first);
        tokio::task::yield_now().await;
        assert!(served.lock().unwrap().is_empty(), "a clone keeps the turn");
        drop(clone);
        futures_util::future::join_all(waiting).await;
        assert_eq!(*served.lock().unwrap(), (0..100).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn sharers_share_until_somebody_waits_to_be_alone() {
        let queues = Queues::default();
        let first = queues.turn(app(), Mode::Shared).await.unwrap();
        let second = queues.turn(app(), Mode::Shared).now_or_never().flatten().expect("they share");
        let mut alone = std::pin::pin!(queues.turn(app(), Mode::Exclusive));
        assert!(alone.as_mut().now_or_never().is_none());
        let mut later = std::pin::pin!(queues.turn(app(), Mode::Shared));
        assert!(later.as_mut().now_or_never().is_none(), "no new sharer comes in before");
        assert!(queues.turn(Queue::Moves, Mode::Exclusive).now_or_never().is_some(), "another queue");
        drop((first, second));
        let alone = alone.now_or_never().flatten().expect("its turn");
        assert!(later.as_mut().now_or_never().is_none());
        drop(alone);
        assert!(later.now_or_never().is_some());
    }

    #[tokio::test]
    async fn queues_in_which_nobody_stands_go_away() {
        let queues = Queues::default();
        let kept = queues.turn(app(), Mode::Exclusive).await;
        for _ in 0..FEW * 8 {
            queues.turn(Queue::Upload(UploadId::random()), Mode::Exclusive).await.unwrap();
        }
        assert!(queues.lines.lock().unwrap().by_queue.len() <= FEW);
        assert!(queues.turn(app(), Mode::Shared).now_or_never().is_none(), "but not the one that is held");
        drop(kept);
    }
}
