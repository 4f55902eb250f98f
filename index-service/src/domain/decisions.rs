//! Decisions on registry tokens that grant less than was asked for: noted for whoever runs the instance, who is told their
//! ids by people that were refused.
//!
//! Must not hold up a refusal: what is noted is written a little later, and is lost if the process ends before.

use super::Index;
use super::error::{Noun, Refusal};
use crate::model::decision::Decision;
use crate::model::explanation::Explanation;
use crate::store::Database;
use jiff::SignedDuration;
use shared::{RepositoryName, ResourceType, Scope};
use std::time::Duration;
use tokio::sync::mpsc;

/// Decisions that wait to be written; more at once are not noted. Each has up to some kilobytes of names.
const WAITING: usize = 1_000;

/// How long they are gathered before they are written together.
const GATHERED: Duration = Duration::from_millis(200);

/// How long they are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Takes note of decisions. Clones share everything.
#[derive(Clone)]
pub struct Decisions(mpsc::Sender<Decision>);

impl Decisions {
    /// Writes to `database`, in the background, as long as this or a clone of it lives.
    pub fn new(database: Database) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(write(database, receiver));
        Self(sender)
    }

    pub(super) fn note(&self, decision: Decision) {
        if let Err(mpsc::error::TrySendError::Full(decision)) = self.0.try_send(decision) {
            tracing::warn!(id = decision.id, "too many are refused at once: this decision is not noted");
        }
    }
}

async fn write(database: Database, mut noted: mpsc::Receiver<Decision>) {
    let mut decisions = Vec::new();
    while noted.recv_many(&mut decisions, WAITING).await > 0 {
        tokio::time::sleep(GATHERED).await;
        while let Ok(decision) = noted.try_recv() {
            decisions.push(decision);
        }
        let Some(latest) = decisions.iter().map(|decision| decision.decided_at).max() else { continue };
        if let Err(error) = database.keep_decisions(&decisions, latest - KEPT).await {
            tracing::warn!(count = decisions.len(), "decisions are not noted: {error}");
        }
        decisions.clear();
    }
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
