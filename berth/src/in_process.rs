//! Index and registry of the same process as each sees the other: the same verbs as over HTTP, called directly.

use async_trait::async_trait;
use index_service::{Index, Refusal, RegistryDoor, RegistryUnavailable, SignedWish};
use jiff::Timestamp;
use registry_service::domain::Registry;
use registry_service::store::index::{Answer, Index as RegistrysIndex, IndexUnavailable};
use shared::internal::{
    AllocateAnswer, AllocateRequest, CatalogAnswer, CatalogRequest, CommitAnswer, CommitRequest, IntrospectAnswer,
    IntrospectRequest, JudgeRequest, TurnAnswer, Verdict,
};
use shared::moves::MoveAnswer;
use shared::revocations::{FeedAnswer, Position};
use std::time::Duration;

/// An index in this process.
pub struct InProcessIndex(Index);

impl InProcessIndex {
    /// The index itself.
    pub fn new(index: Index) -> Self {
        Self(index)
    }
}

/// Calls are made under locks: none may wait for a database that somebody else holds for long.
const DEADLINE: Duration = Duration::from_secs(5);

/// What is asked under no lock may take longer: nothing lies between the two that could have lost the question, so the
/// machine is short of time, and the answer comes.
const LATE: Duration = Duration::from_secs(30);

/// The answer in time, or none. A "no" is in an answer; what comes as a refusal here is a fault of the index.
async fn in_time<T>(asked: impl Future<Output = Result<T, Refusal>>) -> Answer<T> {
    within(DEADLINE, asked).await
}

async fn within<T>(deadline: Duration, asked: impl Future<Output = Result<T, Refusal>>) -> Answer<T> {
    let answer = tokio::time::timeout(deadline, asked).await;
    let answer = answer.map_err(|_| IndexUnavailable("no answer in time".to_owned()))?;
    answer.map_err(|refusal| IndexUnavailable(refusal.to_string()))
}

#[async_trait]
impl RegistrysIndex for InProcessIndex {
    async fn keys(&self) -> Answer<String> {
        Ok(self.0.key_set(Timestamp::now()).to_string())
    }

    async fn introspect(&self, token: &str) -> Answer<IntrospectAnswer> {
        let request = IntrospectRequest { token: token.to_owned() };
        within(LATE, self.0.introspect(&request, Timestamp::now())).await
    }

    async fn allocate(&self, request: &AllocateRequest) -> Answer<AllocateAnswer> {
        within(LATE, self.0.allocate(request, Timestamp::now())).await
    }

    async fn judge(&self, request: &JudgeRequest) -> Answer<Verdict> {
        in_time(self.0.judge(request)).await
    }

    async fn turn(&self) -> Answer<TurnAnswer> {
        in_time(self.0.turn()).await
    }

    async fn commit(&self, request: &CommitRequest) -> Answer<CommitAnswer> {
        in_time(self.0.commit(request, Timestamp::now())).await
    }

    async fn revocations(&self, after: &Position) -> Answer<FeedAnswer> {
        in_time(self.0.revocations(after)).await
    }

    async fn catalog(&self, request: &CatalogRequest) -> Answer<CatalogAnswer> {
        in_time(self.0.catalog(request)).await
    }
}

/// A registry in this process.
pub struct InProcessRegistry(Registry);

impl InProcessRegistry {
    /// The registry itself.
    pub fn new(registry: Registry) -> Self {
        Self(registry)
    }
}

/// Longer than a registry waits for the locks of a repository that is in use. What is begun by then goes on.
const MOVE_DEADLINE: Duration = Duration::from_secs(15);

#[async_trait]
impl RegistryDoor for InProcessRegistry {
    async fn carry_out(&self, wish: &SignedWish) -> Result<MoveAnswer, RegistryUnavailable> {
        let answer = tokio::time::timeout(MOVE_DEADLINE, self.0.move_repository(&wish.request)).await;
        let answer = answer.map_err(|_| RegistryUnavailable("no answer in time".to_owned()))?;
        answer.map_err(|refusal| RegistryUnavailable(refusal.to_string()))
    }
}
