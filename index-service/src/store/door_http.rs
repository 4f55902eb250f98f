//! A registry over HTTP.

use super::door::{RegistryDoor, RegistryUnavailable, SignedWish};
use async_trait::async_trait;
use server::calls;
use shared::moves::MoveAnswer;
use std::time::Duration;

/// Longer than a registry waits for the locks of a repository that is in use.
const DEADLINE: Duration = Duration::from_secs(15);

/// A registry at an address.
pub struct HttpDoor {
    url: String,
    client: reqwest::Client,
}

impl HttpDoor {
    /// The registry at `base`, as `http://registry:5000`: any one on the storage.
    pub fn new(base: &str) -> anyhow::Result<Self> {
        Ok(Self {
            url: format!("{}/internal/v1/move", base.trim_end_matches('/')),
            client: calls::client(base, DEADLINE)?,
        })
    }
}

#[async_trait]
impl RegistryDoor for HttpDoor {
    async fn carry_out(&self, wish: &SignedWish) -> Result<MoveAnswer, RegistryUnavailable> {
        let request = self.client.post(&self.url).bearer_auth(&wish.token);
        let ask = async { request.send().await?.error_for_status()?.json().await };
        ask.await.map_err(|error| RegistryUnavailable(calls::reason(error)))
    }
}
