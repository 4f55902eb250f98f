//! Signing and verifying registry tokens: ES256 with one key, known by the fingerprint that registries derive from it.
//!
//! Must not decide what a token says, nor where the key is kept.

use super::{Identity, Refusal};
use anyhow::{Context, anyhow};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde_json::json;
use shared::Claims;
use shared::claims::LEEWAY_SECONDS;

/// The public half, as a JSON Web Key has it.
#[derive(Debug, Clone)]
pub struct PublicKey {
    /// Its fingerprint, as Docker's registry 2.x derives it.
    pub kid: String,
    /// First coordinate, base64url.
    pub x: String,
    /// Second coordinate, base64url.
    pub y: String,
}

impl PublicKey {
    /// The JSON Web Key Set (RFC 7517) with this key.
    pub fn key_set(&self) -> serde_json::Value {
        json!({
            "keys": [{
                "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.kid, "x": self.x, "y": self.y,
            }],
        })
    }
}

/// Signs tokens, and verifies its own.
pub struct Signer {
    public_key: PublicKey,
    header: Header,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl Signer {
    /// A new private key, as PKCS#8 in PEM.
    pub fn generate_pem() -> anyhow::Result<String> {
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| anyhow!("cannot make a key for tokens"))?;
        let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
        for line in STANDARD.encode(key.as_ref()).as_bytes().chunks(64) {
            pem.extend(line.iter().map(|byte| char::from(*byte)));
            pem.push('\n');
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Ok(pem)
    }

    /// A signer with the key of `pem`.
    pub fn from_pem(pem: &str) -> anyhow::Result<Self> {
        let encoding = EncodingKey::from_ec_pem(pem.as_bytes()).context("the token key is not an EC key in PEM")?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, encoding.as_bytes())
            .map_err(|_| anyhow!("the token key is not a P-256 key"))?;
        let public_key = public_key(&pair).context("the token key has no public half")?;
        let decoding = DecodingKey::from_ec_components(&public_key.x, &public_key.y)?;
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(public_key.kid.clone());
        Ok(Self { public_key, header, encoding, decoding })
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The token that says `claims`.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, Refusal> {
        jsonwebtoken::encode(&self.header, claims, &self.encoding)
            .map_err(|error| Refusal::Fault(format!("cannot sign a token: {error}")))
    }

    /// What `token` says, if it is one of ours, for our registry, and its time has come and not gone.
    pub(super) fn verify(&self, token: &str, identity: &Identity, now: Timestamp) -> Option<Claims> {
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        rules.set_issuer(&[&identity.issuer]);
        rules.set_audience(&[&identity.service]);
        // By the time passed in, below, not by the library's clock.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &rules).ok()?.claims;
        let now = u64::try_from(now.as_second()).ok()?;
        let has_begun = claims.nbf <= now.saturating_add(LEEWAY_SECONDS);
        let has_ended = claims.exp.saturating_add(LEEWAY_SECONDS) <= now;
        (has_begun && !has_ended).then_some(claims)
    }
}

fn public_key(pair: &EcdsaKeyPair) -> Option<PublicKey> {
    let point = pair.public_key();
    let (0x04, coordinates) = point.as_ref().split_first().map(|(form, rest)| (*form, rest))? else { return None };
    let (x, y) = coordinates.split_at_checked(32)?;
    let der = point.as_der().ok()?;
    Some(PublicKey { kid: fingerprint(der.as_ref()), x: URL_SAFE_NO_PAD.encode(x), y: URL_SAFE_NO_PAD.encode(y) })
}

/// The fingerprint of libtrust, by which Docker's registry 2.x knows a key: the first 240 bits of the SHA-256 of its
/// DER form, in base32, in twelve groups of four joined by colons.
fn fingerprint(der: &[u8]) -> String {
    const BASE32: [u8; 32] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = digest(&SHA256, der);
    let groups = digest.as_ref().chunks_exact(5).take(6).flat_map(|five| {
        let bits = five.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let letter =
            move |index: usize| BASE32.get(bits >> (35 - 5 * index) & 31).map_or('A', |byte| char::from(*byte));
        [(0..4).map(letter).collect::<String>(), (4..8).map(letter).collect()]
    });
    groups.collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::revocations::Position;

    #[test]
    fn a_fingerprint_is_base32_in_groups_of_four() {
        // printf '' | sha256sum | cut -c-60 | xxd -r -p | base32
        assert_eq!(fingerprint(b""), "4OYM:IQUY:7QOB:JGX3:6TEJ:S35Z:EQT2:4QPE:MSNZ:GTFE:SWMR:W6CS");
    }

    fn identity() -> Identity {
        Identity {
            public_url: String::new(),
            origin: String::new(),
            issuer: "berth".to_owned(),
            service: "berth".to_owned(),
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

    #[test]
    fn a_token_is_good_in_its_time_only() {
        let signer = Signer::from_pem(&Signer::generate_pem().unwrap()).unwrap();
        let token = signer.sign(&claims(1_000_000)).unwrap();
        for (second, good) in
            [(1_000_000, true), (999_910, true), (999_909, false), (1_000_359, true), (1_000_360, false)]
        {
            let now = Timestamp::from_second(second).unwrap();
            assert_eq!(signer.verify(&token, &identity(), now).is_some(), good, "{second}");
        }
    }

    #[test]
    fn a_token_of_another_key_issuer_or_audience_is_not_good() {
        let signer = Signer::from_pem(&Signer::generate_pem().unwrap()).unwrap();
        let other = Signer::from_pem(&Signer::generate_pem().unwrap()).unwrap();
        let now = Timestamp::from_second(1_000_000).unwrap();
        let good = claims(1_000_000);
        let bad = [
            other.sign(&good).unwrap(),
            signer.sign(&Claims { iss: "else".to_owned(), ..good.clone() }).unwrap(),
            signer.sign(&Claims { aud: "else".to_owned(), ..good.clone() }).unwrap(),
        ];
        assert!(signer.verify(&signer.sign(&good).unwrap(), &identity(), now).is_some());
        assert!(bad.iter().all(|token| signer.verify(token, &identity(), now).is_none()));
    }
}
