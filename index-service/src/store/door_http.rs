//! A registry over HTTP.

use super::door::{RegistryDoor, RegistryUnavailable, SignedWish};
use async_trait::async_trait;
use shared::moves::MoveAnswer;
use std::time::Duration;

/// Longer than a registry waits for the locks of a repository that is in use.
const DEADLINE: Duration = Duration::from_secs(15);

/// A living registry accepts at once, also when it is busy.
const CONNECT_DEADLINE: Duration = Duration::from_secs(1);

/// A registry at an address.
pub struct HttpDoor {
    url: String,
    client: reqwest::Client,
}

impl HttpDoor {
    /// The registry at `base`, as `http://registry:5000`: any one on the storage.
    pub fn new(base: &str) -> anyhow::Result<Self> {
        let mut builder = reqwest::Client::builder();
        if base.starts_with("http://") {
            // No certificate is ever looked at, and a small image has none: building the client must not need them.
            builder = builder.tls_certs_only([]);
        }
        let client = builder
            .timeout(DEADLINE)
            .connect_timeout(CONNECT_DEADLINE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { url: format!("{}/internal/v1/move", base.trim_end_matches('/')), client })
    }
}

#[async_trait]
impl RegistryDoor for HttpDoor {
    async fn carry_out(&self, wish: &SignedWish) -> Result<MoveAnswer, RegistryUnavailable> {
        let request = self.client.post(&self.url).bearer_auth(&wish.token);
        let ask = async { request.send().await?.error_for_status()?.json().await };
        // The whole chain of causes: "error sending request" alone tells an operator nothing.
        ask.await.map_err(|error: reqwest::Error| RegistryUnavailable(format!("{:#}", anyhow::Error::new(error))))
    }
}
