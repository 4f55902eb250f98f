//! Signing and verifying registry tokens: ES256, with whichever key's turn it is.
//!
//! Must not decide what a token says, nor where keys are kept.

use super::key_ring::KeyRing;
use super::{Identity, Refusal};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header, encode};
use serde::Serialize;
use shared::Claims;
use shared::claims::LEEWAY_SECONDS;
use std::sync::{Arc, PoisonError, RwLock};

/// Signs tokens, and verifies its own. Its keys can be replaced while it does.
pub struct Signer {
    ring: RwLock<Arc<KeyRing>>,
}

impl Signer {
    /// A signer with these keys.
    pub fn new(ring: KeyRing) -> Self {
        Self { ring: RwLock::new(Arc::new(ring)) }
    }

    /// Its keys.
    pub fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Goes on with these keys.
    pub(super) fn replace(&self, ring: KeyRing) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    /// The token that says `claims`, by the key that signs at `now`.
    pub(super) fn sign(&self, claims: &impl Serialize, now: Timestamp) -> Result<String, Refusal> {
        let ring = self.ring();
        let key = ring.signing(now).ok_or_else(|| Refusal::Fault("there is no key for tokens".to_owned()))?;
        encode(&key.header, claims, &key.encoding)
            .map_err(|error| Refusal::Fault(format!("cannot sign a token: {error}")))
    }

    /// What `token` says, if it is by a key that is published at `now`, for our registry, and its time has come and not gone.
    pub(super) fn verify(&self, token: &str, identity: &Identity, now: Timestamp) -> Option<Claims> {
        let id = decode_header(token).ok()?.kid?;
        let ring = self.ring();
        let key = ring.published(now).find(|key| key.id == id)?;
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        rules.set_issuer(&[&identity.issuer]);
        rules.set_audience(&[&identity.service]);
        // By the time passed in, below, not by the library's clock.
        rules.validate_exp = false;
        let claims = decode::<Claims>(token, &key.decoding, &rules).ok()?.claims;
        let now = u64::try_from(now.as_second()).ok()?;
        let has_begun = claims.nbf <= now.saturating_add(LEEWAY_SECONDS);
        let has_ended = claims.exp.saturating_add(LEEWAY_SECONDS) <= now;
        (has_begun && !has_ended).then_some(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key_ring::new_key;
    use shared::revocations::Position;

    fn identity() -> Identity {
        Identity {
            public_url: String::new(),
            origin: String::new(),
            issuer: "berth".to_owned(),
            service: "berth".to_owned(),
            x5c: false,
        }
    }

    fn claims(now: u64) -> Claims {
        Claims {
            iss: "berth".to_owned(),
            sub: "alice".to_owned(),
            aud: "berth".to_owned(),
            exp: now + 300,
            nbf: now - 30,
            iat: now,
            jti: "1".to_owned(),
            credential: None,
            as_of: Position::default(),
            access: Vec::new(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// With keys that sign from these seconds on.
    fn signer(seconds: &[i64]) -> Signer {
        let files: Vec<_> = seconds.iter().map(|second| new_key(at(*second)).unwrap()).collect();
        Signer::new(KeyRing::read(&files, false).unwrap())
    }

    #[test]
    fn a_token_is_good_in_its_time_only() {
        let signer = signer(&[0]);
        let token = signer.sign(&claims(1_000_000), at(1_000_000)).unwrap();
        for (second, good) in
            [(1_000_000, true), (999_910, true), (999_909, false), (1_000_359, true), (1_000_360, false)]
        {
            assert_eq!(signer.verify(&token, &identity(), at(second)).is_some(), good, "{second}");
        }
    }

    #[test]
    fn a_token_of_another_key_issuer_or_audience_is_not_good() {
        let (own, other) = (signer(&[0]), signer(&[0]));
        let now = at(1_000_000);
        let good = claims(1_000_000);
        let bad = [
            other.sign(&good, now).unwrap(),
            own.sign(&Claims { iss: "else".to_owned(), ..good.clone() }, now).unwrap(),
            own.sign(&Claims { aud: "else".to_owned(), ..good.clone() }, now).unwrap(),
        ];
        assert!(own.verify(&own.sign(&good, now).unwrap(), &identity(), now).is_some());
        assert!(bad.iter().all(|token| own.verify(token, &identity(), now).is_none()));
    }

    #[test]
    fn a_token_outlives_its_key_s_turn_and_no_withdrawal() {
        let next = 1_000_100;
        let signer = signer(&[0, next]);
        let before = signer.sign(&claims(1_000_000), at(1_000_000)).unwrap();
        let after = signer.sign(&claims(1_000_100), at(next)).unwrap();
        assert_ne!(decode_header(&before).unwrap().kid, decode_header(&after).unwrap().kid);
        for token in [&before, &after] {
            assert!(signer.verify(token, &identity(), at(next)).is_some());
        }
        signer.replace(KeyRing::read(&[new_key(at(next)).unwrap()], false).unwrap());
        for token in [&before, &after] {
            assert!(signer.verify(token, &identity(), at(next)).is_none());
        }
    }
}
