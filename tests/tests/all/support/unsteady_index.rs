//! An index whose answers can be lost: what a registry meets when the network or the index fails.

use async_trait::async_trait;
use berth::InProcessIndex;
use registry_service::store::index::{Answer, Index, IndexUnavailable};
use shared::internal::{
    AllocateAnswer, AllocateRequest, CatalogAnswer, CatalogRequest, CommitAnswer, CommitRequest, IntrospectAnswer,
    JudgeRequest, TurnAnswer, Verdict,
};
use std::sync::Mutex;

/// A call that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Introspect,
    Judge,
    Commit,
}

/// The real index, as long as it is reached.
pub struct UnsteadyIndex {
    real: InProcessIndex,
    failing: Mutex<Option<Call>>,
}

impl UnsteadyIndex {
    pub fn new(real: InProcessIndex) -> Self {
        Self { real, failing: Mutex::new(None) }
    }

    /// From now on this call fails, and only this one.
    pub fn fail(&self, call: Option<Call>) {
        *self.failing.lock().unwrap() = call;
    }

    fn reach(&self, call: Call) -> Answer<()> {
        if *self.failing.lock().unwrap() == Some(call) {
            return Err(IndexUnavailable(format!("{call:?} is lost")));
        }
        Ok(())
    }
}

#[async_trait]
impl Index for UnsteadyIndex {
    async fn keys(&self) -> Answer<String> {
        self.real.keys().await
    }

    async fn introspect(&self, token: &str) -> Answer<IntrospectAnswer> {
        self.reach(Call::Introspect)?;
        self.real.introspect(token).await
    }

    async fn allocate(&self, request: &AllocateRequest) -> Answer<AllocateAnswer> {
        self.real.allocate(request).await
    }

    async fn judge(&self, request: &JudgeRequest) -> Answer<Verdict> {
        self.reach(Call::Judge)?;
        self.real.judge(request).await
    }

    async fn turn(&self) -> Answer<TurnAnswer> {
        self.real.turn().await
    }

    async fn commit(&self, request: &CommitRequest) -> Answer<CommitAnswer> {
        self.reach(Call::Commit)?;
        self.real.commit(request).await
    }

    async fn catalog(&self, request: &CatalogRequest) -> Answer<CatalogAnswer> {
        self.real.catalog(request).await
    }
}
