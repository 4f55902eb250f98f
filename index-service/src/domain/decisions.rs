//! Decisions on registry tokens that grant less than was asked for: noted for whoever runs the instance, who is told their
//! ids by people that were refused.
//!
//! An id leads somewhere as soon as it is told: the row is on the disk before, unless the database cannot be written; then
//! nobody waits long, and it is written later. Nobody who is refused without end keeps those of others from being found:
//! one asker has so many a minute, and anonymous clients never have the whole queue. `store/decisions.rs` holds what is
//! kept to the same.

use super::Index;
use super::error::{Noun, Refusal};
use crate::model::decision::Decision;
use crate::model::explanation::Explanation;
use crate::model::rate::{Past, Rate};
use crate::store::Database;
use jiff::SignedDuration;
use quick_cache::unsync::Cache;
use shared::{RepositoryName, ResourceType, Scope};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

/// Decisions that wait to be written; more at once are not noted. Each has up to some kilobytes of names.
const WAITING: usize = 1_000;

/// Places of the queue that only who signed in may take.
const KEPT_FREE: usize = WAITING / 2;

/// What is noted for one asker.
const RATE: Rate = Rate::a_minute(60);

/// Askers that are remembered; some 100 bytes each.
const REMEMBERED: usize = 10_000;

/// How long a refusal waits for its decision to be written; far longer than a sync takes.
const PATIENCE: Duration = Duration::from_secs(1);

/// What cannot be written is tried again soon, then after this, and so often: a full disk or a lock of the database is over
/// some time.
const SOON: Duration = Duration::from_millis(100);
const AGAIN_AFTER: Duration = Duration::from_secs(2);
const TRIES: u32 = 300;

/// How long they are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Those that are old or too many are looked for this often, or after so many new ones.
const TIDIED_EVERY: Duration = Duration::from_secs(10);

/// A decision, and whom to tell when it is written.
type Noted = (Decision, oneshot::Sender<()>);

/// Takes note of decisions. Clones share everything.
#[derive(Clone)]
pub struct Decisions {
    queue: mpsc::Sender<Noted>,
    askers: Arc<Mutex<Cache<String, Past>>>,
}

impl Decisions {
    /// Writes to `database`, in the background, as long as this or a clone of it lives.
    pub fn new(database: Database) -> Self {
        let (queue, noted) = mpsc::channel(WAITING);
        tokio::spawn(write(database, noted));
        Self { queue, askers: Arc::new(Mutex::new(Cache::new(REMEMBERED))) }
    }

    /// Returns when the decision can be looked up, or will not be soon.
    pub(super) async fn note(&self, decision: Decision) {
        let id = decision.id.clone();
        let (teller, told) = oneshot::channel();
        if !self.is_within_rate(&decision) || !self.has_place(&decision) {
            // Whoever is refused without end does not fill the log either.
            tracing::debug!(id, "too many are refused at once: this decision is not noted");
            return;
        }
        if self.queue.try_send((decision, teller)).is_err() {
            tracing::warn!(id, "too many decisions wait to be written: this one is not noted");
            return;
        }
        if timeout(PATIENCE, told).await.is_err() {
            tracing::debug!(id, "this decision is told before it is written");
        }
    }

    /// Whether its asker has not had too many noted, and counts it.
    fn is_within_rate(&self, decision: &Decision) -> bool {
        let (asker, now) = (decision.asker(), decision.decided_at);
        let mut askers = self.askers.lock().unwrap_or_else(PoisonError::into_inner);
        let past = askers.get(&asker).copied().unwrap_or_default();
        let is_within = RATE.allows(past, now).is_ok();
        if is_within {
            askers.insert(asker, RATE.again(past, now));
        }
        is_within
    }

    fn has_place(&self, decision: &Decision) -> bool {
        !decision.subject.is_anonymous() || self.queue.capacity() > KEPT_FREE
    }
}

/// Those that come while others are written share the next transaction.
async fn write(database: Database, mut queue: mpsc::Receiver<Noted>) {
    let (mut noted, mut untidied, mut tidied_at) = (Vec::new(), 0, Instant::now());
    while queue.recv_many(&mut noted, WAITING).await > 0 {
        let (decisions, tellers): (Vec<_>, Vec<_>) = noted.drain(..).unzip();
        keep(&database, &decisions).await;
        for teller in tellers {
            // Who does not wait any more need not be told.
            let _ = teller.send(());
        }
        untidied += decisions.len();
        if untidied >= WAITING || tidied_at.elapsed() >= TIDIED_EVERY {
            let latest = decisions.iter().map(|decision| decision.decided_at).max().unwrap_or_default();
            if let Err(error) = database.forget_decisions(latest - KEPT).await {
                tracing::warn!("old decisions cannot be forgotten now, and are later: {error}");
            }
            (untidied, tidied_at) = (0, Instant::now());
        }
    }
}

/// Writes them, as soon as that can be done.
async fn keep(database: &Database, decisions: &[Decision]) {
    for tried in 0..TRIES {
        match database.keep_decisions(decisions).await {
            Ok(()) => return,
            Err(error) if tried == 0 => tracing::warn!("decisions cannot be noted now, and are later: {error}"),
            Err(_) => {}
        }
        tokio::time::sleep(if tried == 0 { SOON } else { AGAIN_AFTER }).await;
    }
    tracing::warn!(count = decisions.len(), "decisions are not noted: the database could not be written for too long");
}

impl Index {
    /// The decision `id`, with what its subject holds now on each repository that it was about. Who may call this is settled
    /// before.
    pub async fn decision(&self, id: &str) -> Result<(Decision, Vec<(RepositoryName, Option<Explanation>)>), Refusal> {
        let decision = self.database.decision(id).await?;
        let decision = decision.ok_or_else(|| Refusal::not_found(Noun::Decision, id))?;
        let mut explained = Vec::new();
        for scope in Scope::parse_all([decision.asked.as_str()]) {
            if scope.resource != ResourceType::Repository {
                continue;
            }
            let Ok(name) = RepositoryName::parse(&scope.name) else { continue };
            let explanation = self.database.explanation(&decision.subject, &name).await?;
            explained.push((name, explanation));
        }
        Ok((decision, explained))
    }
}
