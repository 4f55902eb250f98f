//! What the registry asks of the index: true or false about tokens, a number for each change, and nothing else.
//!
//! A trait, because there are two: over HTTP (`index_http.rs`), and in one process with the index (the program
//! `berth`). Must not interpret an answer.

use async_trait::async_trait;
use shared::internal::{
    AllocateAnswer, AllocateRequest, CatalogAnswer, CatalogRequest, CommitAnswer, CommitRequest, IntrospectAnswer,
    JudgeRequest, TurnAnswer, Verdict,
};
use shared::revocations::{FeedAnswer, Position};

/// The index gave no answer that can be used. Whether it did what it was asked is unknown.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the index does not answer: {0}")]
pub struct IndexUnavailable(pub String);

/// Result of a call to the index.
pub type Answer<T> = Result<T, IndexUnavailable>;

/// The index, as the registry sees it. Every call ends by itself; those made under locks do within a few seconds.
#[async_trait]
pub trait Index: Send + Sync {
    /// Its verification keys, as a JSON Web Key Set (RFC 7517).
    async fn keys(&self) -> Answer<String>;
    /// Whether a registry token is good, by the index's rows as they are now.
    async fn introspect(&self, token: &str) -> Answer<IntrospectAnswer>;
    /// Allocates a name, or tells its id.
    async fn allocate(&self, request: &AllocateRequest) -> Answer<AllocateAnswer>;
    /// Decides on a change.
    async fn judge(&self, request: &JudgeRequest) -> Answer<Verdict>;
    /// Gives a number for a report.
    async fn turn(&self) -> Answer<TurnAnswer>;
    /// Takes note of what storage holds now.
    async fn commit(&self, request: &CommitRequest) -> Answer<CommitAnswer>;
    /// What was revoked after a position of its feed; answers after a second at most, also if that is nothing.
    async fn revocations(&self, after: &Position) -> Answer<FeedAnswer>;
    /// One page of the repositories that somebody may see.
    async fn catalog(&self, request: &CatalogRequest) -> Answer<CatalogAnswer>;
}
