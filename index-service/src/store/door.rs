//! What the index wishes of a registry: that repositories move in storage, and nothing else.
//!
//! A trait, because there are two: over HTTP (`door_http.rs`), and in one process with the registry (the program
//! `berth`).

use async_trait::async_trait;
use shared::moves::{MoveAnswer, MoveRequest};

/// No registry gave an answer that can be used. Whether the wish was carried out is unknown.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no registry answers: {0}")]
pub struct RegistryUnavailable(pub String);

/// A wish, with the token that carries it.
#[derive(Debug, Clone)]
pub struct SignedWish {
    /// The wish.
    pub request: MoveRequest,
    /// The same in claims that this index has signed.
    pub token: String,
}

/// A registry on the storage, as the index sees it. Every call ends within a quarter of a minute.
#[async_trait]
pub trait RegistryDoor: Send + Sync {
    /// Has a wish carried out.
    async fn carry_out(&self, wish: &SignedWish) -> Result<MoveAnswer, RegistryUnavailable>;
}
