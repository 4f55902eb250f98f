//! Access tokens: a person makes them, and they open what the person may, or less.

use super::Index;
use super::error::{Noun, Refusal};
use super::networks::check_networks;
use crate::model::access_token::{AccessToken, LastUse, Limits, MAX_LIMITS, RANDOM_LENGTH, Secret};
use crate::model::account::Owner;
use crate::model::fault::all;
use crate::model::line::TOKEN_NAME;
use crate::model::{Account, Fault, Page, Paged};
use crate::store::Claim;
use jiff::{SignedDuration, Timestamp};
use rand::distr::{Alphanumeric, SampleString};
use shared::Networks;
use std::net::IpAddr;

/// Seconds for which a secret may go on beside its successor.
const MAX_OVERLAP: u32 = 30 * 24 * 3600;

/// A last use is noted again after this; that of a token also when it is from elsewhere.
pub(super) const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// A token to be made.
#[derive(Debug)]
pub struct NewAccessToken {
    /// What its owner calls it.
    pub name: String,
    /// Where it opens anything; empty for everywhere.
    pub limits: Limits,
    /// From where it opens anything; no range for everywhere.
    pub allowed_networks: Networks,
    /// From when on it opens nothing; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// How a secret is replaced.
#[derive(Debug, Default)]
pub struct Rotation {
    /// Seconds for which the one before goes on.
    pub overlap: u32,
    /// From when on the next one opens nothing; `None` leaves that as it is.
    pub expires_at: Option<Timestamp>,
}

impl Rotation {
    /// Until when the secret before goes on, of what ends at `end`; `None` if it does not. What has ended already needs
    /// another end.
    pub(super) fn old_until(&self, end: Option<Timestamp>, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
        if self.overlap > MAX_OVERLAP {
            return Err(Refusal::invalid_at("/overlap_seconds", "overlap_seconds is at most 2592000, thirty days"));
        }
        check_end(self.expires_at, now)?;
        if self.expires_at.is_none() && check_end(end, now).is_err() {
            return Err(Refusal::invalid_at(
                "/expires_at",
                "it has expired: say with expires_at when the new secret does",
            ));
        }
        Ok((self.overlap > 0).then(|| now + SignedDuration::from_secs(self.overlap.into())))
    }
}

impl Index {
    /// A page of the tokens of `owner`.
    pub async fn access_tokens(&self, owner: &Account, page: &Page) -> Result<Paged<AccessToken>, Refusal> {
        Ok(self.database.access_tokens(&owner.id, page).await?)
    }

    /// One token of `owner`.
    pub async fn access_token(&self, owner: &Account, id: &str) -> Result<AccessToken, Refusal> {
        self.database.access_token(&owner.id, id).await?.ok_or_else(|| no_token(id))
    }

    /// Makes a token. Its secret is nowhere else.
    pub async fn create_access_token(
        &self,
        owner: &Account,
        new: NewAccessToken,
        now: Timestamp,
    ) -> Result<(AccessToken, Secret), Refusal> {
        let NewAccessToken { name, limits, allowed_networks, expires_at } = new;
        let few = if limits.0.len() <= MAX_LIMITS {
            Ok(())
        } else {
            Err(Fault::at("/limits", "too_many", "limits has at most 50 entries"))
        };
        all([TOKEN_NAME.check(&name), few, check_networks(&allowed_networks), check_end(expires_at, now)])?;
        let (id, last_used) = (new_token_id(), LastUse::default());
        let token = AccessToken { id, name, limits, allowed_networks, expires_at, last_used, created_at: now };
        let secret = Secret::of_person(&random_text());
        match self.database.create_access_token(&owner.id, &token, &secret.hash()).await? {
            Claim::Made => Ok((token, secret)),
            Claim::Taken => Err(Refusal::TokenExists(token.name)),
        }
    }

    /// Gives a token another secret. The one before opens for some seconds more.
    pub async fn rotate_access_token(
        &self,
        owner: &Account,
        id: &str,
        rotation: &Rotation,
        now: Timestamp,
    ) -> Result<(AccessToken, Secret), Refusal> {
        let old_until = rotation.old_until(self.access_token(owner, id).await?.expires_at, now)?;
        let secret = Secret::of_person(&random_text());
        let token =
            self.database.rotate_access_token(&owner.id, id, &secret.hash(), old_until, rotation.expires_at).await?;
        Ok((token.ok_or_else(|| no_token(id))?, secret))
    }

    /// Says from where a token opens anything.
    pub async fn change_access_token(
        &self,
        owner: &Account,
        id: &str,
        allowed_networks: &Networks,
    ) -> Result<AccessToken, Refusal> {
        check_networks(allowed_networks)?;
        let changed = self.database.set_token_networks(&owner.id, id, allowed_networks).await?;
        changed.ok_or_else(|| no_token(id))?;
        self.access_token(owner, id).await
    }

    /// Ends a token.
    pub async fn delete_access_token(&self, owner: &Account, id: &str) -> Result<(), Refusal> {
        self.database.delete_access_token(&owner.id, id).await?.ok_or_else(|| no_token(id))
    }

    /// The token with this secret, used from the address `from`, and its owner, whose name is `user` if one was said.
    pub(super) async fn sign_in_with_token(
        &self,
        user: Option<&str>,
        secret: &Secret,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(Owner, AccessToken), Refusal> {
        let found = self.database.access_token_by_hash(&secret.hash(), now).await?;
        let found = found.filter(|(owner, _)| user.is_none_or(|user| owner.subject().as_str() == user));
        let (owner, token) = found.ok_or(Refusal::BadCredentials)?;
        if !token.allowed_networks.admit(from) {
            return Err(Refusal::AddressRefused { what: what(&owner, &token), from });
        }
        if token.is_over(now) {
            return Err(Refusal::TokenExpired(what(&owner, &token)));
        }
        let is_noted = token.last_used.at.is_some_and(|at| now.duration_since(at) < NOTED_EVERY);
        if !is_noted || token.last_used.from != from {
            let (database, id, last_used) = (self.database.clone(), token.id.clone(), LastUse { at: Some(now), from });
            // It opens whether or not that can be written, and does not wait for it.
            tokio::spawn(async move {
                if let Err(error) = database.access_token_used(&id, &last_used).await {
                    tracing::warn!(token = id, "its use is not noted: {error}");
                }
            });
        }
        Ok((owner, token))
    }
}

/// A secret in words.
fn what(owner: &Owner, token: &AccessToken) -> String {
    match owner {
        Owner::Person(_) => format!("access token {:?}", token.name),
        Owner::Robot(robot) => format!("the secret of robot {}", robot.name),
    }
}

/// What makes a new secret.
pub(super) fn random_text() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), RANDOM_LENGTH)
}

/// A new token's id.
pub(super) fn new_token_id() -> String {
    format!("tok_{}", uuid::Uuid::now_v7())
}

/// Refuses an end that has come already.
pub(super) fn check_end(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), Fault> {
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Fault::at("/expires_at", "over", "expires_at is over already"));
    }
    Ok(())
}

fn no_token(id: &str) -> Refusal {
    Refusal::not_found(Noun::AccessToken, id)
}
