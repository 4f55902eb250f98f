//! The index as the registry of the same process sees it: the same verbs as over HTTP, called directly.

use async_trait::async_trait;
use index_service::{Index, Refusal};
use jiff::Timestamp;
use registry_service::store::index::{Answer, Index as RegistrysIndex, IndexUnavailable};
use shared::internal::{
    AllocateAnswer, AllocateRequest, CatalogAnswer, CatalogRequest, CommitAnswer, CommitRequest, IntrospectAnswer,
    IntrospectRequest, JudgeRequest, TurnAnswer, Verdict,
};

/// An index in this process.
pub struct InProcessIndex(Index);

impl InProcessIndex {
    /// The index itself.
    pub fn new(index: Index) -> Self {
        Self(index)
    }
}

/// A "no" is in an answer; what comes as a refusal here is a fault of the index, whose database has logged it.
fn unavailable(refusal: &Refusal) -> IndexUnavailable {
    IndexUnavailable(refusal.to_string())
}

#[async_trait]
impl RegistrysIndex for InProcessIndex {
    async fn keys(&self) -> Answer<String> {
        Ok(self.0.public_key().key_set().to_string())
    }

    async fn introspect(&self, token: &str) -> Answer<IntrospectAnswer> {
        let request = IntrospectRequest { token: token.to_owned() };
        self.0.introspect(&request, Timestamp::now()).await.map_err(|refusal| unavailable(&refusal))
    }

    async fn allocate(&self, request: &AllocateRequest) -> Answer<AllocateAnswer> {
        self.0.allocate(request, Timestamp::now()).await.map_err(|refusal| unavailable(&refusal))
    }

    async fn judge(&self, request: &JudgeRequest) -> Answer<Verdict> {
        self.0.judge(request).await.map_err(|refusal| unavailable(&refusal))
    }

    async fn turn(&self) -> Answer<TurnAnswer> {
        self.0.turn().await.map_err(|refusal| unavailable(&refusal))
    }

    async fn commit(&self, request: &CommitRequest) -> Answer<CommitAnswer> {
        self.0.commit(request, Timestamp::now()).await.map_err(|refusal| unavailable(&refusal))
    }

    async fn catalog(&self, request: &CatalogRequest) -> Answer<CatalogAnswer> {
        self.0.catalog(request).await.map_err(|refusal| unavailable(&refusal))
    }
}
