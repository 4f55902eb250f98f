//! Checking a registry token's signature and claims, by the keys that the index publishes.
//!
//! Must not decide what a token allows, nor whether it still holds: see `access.rs`.

use crate::store::index::{Index, IndexUnavailable};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::de::DeserializeOwned;
use shared::Claims;
use shared::claims::LEEWAY_SECONDS;
use shared::moves::{self, MoveClaims, MoveRequest};
use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// A token is a header line of nginx's default size at most.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// An unknown key id makes the keys be fetched again, but no more often than this.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);

/// After a failure they are fetched again sooner.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Why a token is not taken.
#[derive(Debug)]
pub enum TokenError {
    /// It is not one of ours, or not valid now.
    Invalid,
    /// No keys to check it with.
    NoKeys(IndexUnavailable),
}

/// The keys by their ids, and what the claims must say.
pub struct TokenVerifier {
    validation: Validation,
    over: Validation,
    wishes: Validation,
    keys: RwLock<Arc<HashMap<String, DecodingKey>>>,
    last_reload: Mutex<Option<Reload>>,
}

/// The last time the keys were fetched.
struct Reload {
    at: Instant,
    failure: Option<IndexUnavailable>,
}

impl TokenVerifier {
    /// Takes tokens of `issuer` for `service` only.
    pub fn new(issuer: &str, service: &str) -> Self {
        let mut validation = rules(issuer, service);
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        let mut over = validation.clone();
        over.validate_exp = false;
        let mut wishes = rules(issuer, &moves::audience(service));
        wishes.set_required_spec_claims(&["exp", "nbf", "aud", "iss"]);
        Self { validation, over, wishes, keys: RwLock::default(), last_reload: Mutex::new(None) }
    }

    /// The claims of `token`, if it is one of ours and valid now.
    pub async fn verify(&self, token: &str, index: &dyn Index) -> Result<Claims, TokenError> {
        self.decode(token, index, &self.validation).await
    }

    /// The claims of `token`, if it is one of ours, whether or not its time is over.
    pub async fn verify_but_for_its_end(&self, token: &str, index: &dyn Index) -> Result<Claims, TokenError> {
        self.decode(token, index, &self.over).await
    }

    /// The wish that `token` carries, if it is one of ours and valid now.
    pub async fn verify_wish(&self, token: &str, index: &dyn Index) -> Result<MoveRequest, TokenError> {
        self.decode::<MoveClaims>(token, index, &self.wishes).await.map(|claims| claims.request)
    }

    async fn decode<C: DeserializeOwned>(
        &self,
        token: &str,
        index: &dyn Index,
        rules: &Validation,
    ) -> Result<C, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        let header = decode_header(token).map_err(|_| TokenError::Invalid)?;
        let id = header.kid.ok_or(TokenError::Invalid)?;
        let key = match self.key(&id) {
            Some(key) => key,
            None => self.reload(&id, index).await?.ok_or(TokenError::Invalid)?,
        };
        decode::<C>(token, &key, rules).map(|token| token.claims).map_err(|_| TokenError::Invalid)
    }

    fn key(&self, id: &str) -> Option<DecodingKey> {
        let keys = self.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        keys.get(id).cloned()
    }

    /// Fetches the keys again, one request at a time, and looks for `id` among them.
    async fn reload(&self, id: &str, index: &dyn Index) -> Result<Option<DecodingKey>, TokenError> {
        let mut last_reload = self.last_reload.lock().await;
        if let Some(key) = self.key(id) {
            return Ok(Some(key));
        }
        match &*last_reload {
            Some(Reload { at, failure: None }) if at.elapsed() < RELOAD_INTERVAL => return Ok(None),
            Some(Reload { at, failure: Some(failure) }) if at.elapsed() < ASK_AGAIN => {
                return Err(TokenError::NoKeys(failure.clone()));
            }
            _ => {}
        }
        let fetched = fetch(index).await;
        *last_reload = Some(Reload { at: Instant::now(), failure: fetched.as_ref().err().cloned() });
        let set = fetched.map_err(TokenError::NoKeys)?;
        let keys: HashMap<_, _> = set
            .keys
            .iter()
            .filter_map(|key| Some((key.common.key_id.clone()?, DecodingKey::from_jwk(key).ok()?)))
            .collect();
        *self.keys.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(keys);
        Ok(self.key(id))
    }
}

fn rules(issuer: &str, audience: &str) -> Validation {
    // One algorithm, never the one that the token's header asks for.
    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_issuer(&[issuer]);
    rules.set_audience(&[audience]);
    rules.validate_nbf = true;
    rules.leeway = LEEWAY_SECONDS;
    rules
}

async fn fetch(index: &dyn Index) -> Result<JwkSet, IndexUnavailable> {
    let published = index.keys().await?;
    serde_json::from_str(&published).map_err(|error| IndexUnavailable(format!("its keys cannot be read: {error}")))
}
