//! The index over HTTP, with the internal secret.

use super::index::{Answer, Index, IndexUnavailable};
use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use server::calls;
use shared::internal::{
    AllocateAnswer, AllocateRequest, CatalogAnswer, CatalogRequest, CommitAnswer, CommitRequest, IntrospectAnswer,
    IntrospectRequest, JudgeRequest, TurnAnswer, TurnRequest, Verdict,
};
use shared::revocations::{FeedAnswer, Position};
use std::time::Duration;

/// Longer than any answer of a living index takes; calls are made under locks.
const DEADLINE: Duration = Duration::from_secs(5);

/// An index at an address.
pub struct HttpIndex {
    base: String,
    secret: String,
    client: reqwest::Client,
}

impl HttpIndex {
    /// The index at `base`, as `http://index:5001`, which knows `secret`.
    pub fn new(base: &str, secret: String) -> anyhow::Result<Self> {
        Ok(Self { base: base.trim_end_matches('/').to_owned(), secret, client: calls::client(base, DEADLINE)? })
    }

    async fn call<Q: Serialize + Sync, A: DeserializeOwned>(&self, verb: &str, question: &Q) -> Answer<A> {
        let url = format!("{}/internal/v1/{verb}", self.base);
        let ask = async {
            let request = self.client.post(url).bearer_auth(&self.secret).json(question);
            request.send().await?.error_for_status()?.json().await
        };
        ask.await.map_err(unavailable)
    }
}

#[async_trait]
impl Index for HttpIndex {
    async fn revocations(&self, after: &Position) -> Answer<FeedAnswer> {
        let url = format!("{}/internal/v1/revocations", self.base);
        let ask = async {
            let request = self.client.get(url).bearer_auth(&self.secret).query(after);
            request.send().await?.error_for_status()?.json().await
        };
        ask.await.map_err(unavailable)
    }

    async fn keys(&self) -> Answer<String> {
        let url = format!("{}/.well-known/jwks.json", self.base);
        let ask = async { self.client.get(url).send().await?.error_for_status()?.text().await };
        ask.await.map_err(unavailable)
    }

    async fn introspect(&self, token: &str) -> Answer<IntrospectAnswer> {
        self.call("introspect", &IntrospectRequest { token: token.to_owned() }).await
    }

    async fn allocate(&self, request: &AllocateRequest) -> Answer<AllocateAnswer> {
        self.call("allocate", request).await
    }

    async fn judge(&self, request: &JudgeRequest) -> Answer<Verdict> {
        self.call("judge", request).await
    }

    async fn turn(&self) -> Answer<TurnAnswer> {
        self.call("turn", &TurnRequest {}).await
    }

    async fn commit(&self, request: &CommitRequest) -> Answer<CommitAnswer> {
        self.call("commit", request).await
    }

    async fn catalog(&self, request: &CatalogRequest) -> Answer<CatalogAnswer> {
        self.call("catalog", request).await
    }
}

fn unavailable(error: reqwest::Error) -> IndexUnavailable {
    IndexUnavailable(calls::reason(error))
}
