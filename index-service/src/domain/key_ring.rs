//! The keys that sign registry tokens, each from a time on, known by the fingerprint that registries derive from them.
//!
//! Must not know where keys are kept, nor what is signed.

use crate::store::KeyFile;
use anyhow::{Context, anyhow};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use rcgen::{CertificateParams, DnType, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use serde_json::json;
use std::fmt;

/// A key's file is named by the time from which on it signs.
const NAME_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// How long a key is published after its last turn: longer than any token of it is good for anything. A token lives an hour
/// at most, and for six more an upload goes on with it.
const FADES_FOR: SignedDuration = SignedDuration::from_hours(8);

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// One key.
pub struct TokenKey {
    /// Its fingerprint, as Docker's registry 2.x derives it.
    pub id: String,
    /// The time from which on it signs.
    pub signs_from: Timestamp,
    /// Its certificate, signed by itself and named by the fingerprint, in PEM.
    pub certificate: String,
    pub(super) header: Header,
    pub(super) encoding: EncodingKey,
    pub(super) decoding: DecodingKey,
    public: serde_json::Value,
}

/// What a key does at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It is published, and its turn has not come.
    Waiting,
    /// It signs.
    Signing,
    /// It signs no more, and tokens that it has signed may still be good.
    Fading,
    /// No token of it is good any more.
    Over,
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Waiting => "waiting",
            Self::Signing => "signing",
            Self::Fading => "fading",
            Self::Over => "over",
        })
    }
}

impl TokenKey {
    /// The name of its file.
    pub fn file_name(&self) -> String {
        file_name(self.signs_from)
    }
}

/// All keys, in the order of their turns.
pub struct KeyRing(Vec<TokenKey>);

impl KeyRing {
    /// The keys in `files`; with `x5c` their tokens carry their certificate.
    pub fn read(files: &[KeyFile], x5c: bool) -> anyhow::Result<Self> {
        let read =
            |file: &KeyFile| read_key(file, x5c).with_context(|| format!("the token key {} cannot be used", file.name));
        let mut keys: Vec<TokenKey> = files.iter().map(read).collect::<anyhow::Result<_>>()?;
        keys.sort_by_key(|key| key.signs_from);
        Ok(Self(keys))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `other` has the same keys with the same turns.
    pub fn is_same(&self, other: &Self) -> bool {
        let keys = |ring: &Self| ring.0.iter().map(|key| (key.signs_from, key.id.clone())).collect::<Vec<_>>();
        keys(self) == keys(other)
    }

    /// Each key with what it does at `now`.
    pub fn keys(&self, now: Timestamp) -> impl Iterator<Item = (&TokenKey, KeyState)> {
        // Where a clock was set back, the first key signs before its time.
        let turn = self.0.iter().rposition(|key| key.signs_from <= now).unwrap_or_default();
        let ends = self.0.iter().skip(1).map(|next| Some(next.signs_from)).chain([None]);
        self.0.iter().zip(ends).enumerate().map(move |(position, (key, end))| {
            let is_over = end.is_some_and(|end| now.duration_since(end) >= FADES_FOR);
            let state = match position.cmp(&turn) {
                std::cmp::Ordering::Greater => KeyState::Waiting,
                std::cmp::Ordering::Equal => KeyState::Signing,
                std::cmp::Ordering::Less if is_over => KeyState::Over,
                std::cmp::Ordering::Less => KeyState::Fading,
            };
            (key, state)
        })
    }

    /// The key that signs at `now`.
    pub fn signing(&self, now: Timestamp) -> Option<&TokenKey> {
        self.keys(now).find(|(_, state)| *state == KeyState::Signing).map(|(key, _)| key)
    }

    /// The keys by which tokens may be verified at `now`, and those that will sign.
    pub fn published(&self, now: Timestamp) -> impl Iterator<Item = &TokenKey> {
        self.keys(now).filter(|(_, state)| *state != KeyState::Over).map(|(key, _)| key)
    }

    /// The JSON Web Key Set (RFC 7517) of what is published at `now`.
    pub fn key_set(&self, now: Timestamp) -> serde_json::Value {
        json!({ "keys": self.published(now).map(|key| &key.public).collect::<Vec<_>>() })
    }
}

/// The file of a new key that signs from `signs_from` on, which is rounded down to a second.
pub fn new_key(signs_from: Timestamp) -> anyhow::Result<KeyFile> {
    let key = rcgen::KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).context("cannot make a key for tokens")?;
    let mut certificate = CertificateParams::default();
    certificate.distinguished_name.push(DnType::CommonName, fingerprint(&key.subject_public_key_info()));
    let certificate = certificate.self_signed(&key).context("cannot make a certificate for the token key")?;
    Ok(KeyFile { name: file_name(signs_from), text: format!("{}{}", key.serialize_pem(), certificate.pem()) })
}

fn file_name(signs_from: Timestamp) -> String {
    signs_from.strftime(NAME_FORMAT).to_string()
}

fn read_key(file: &KeyFile, x5c: bool) -> anyhow::Result<TokenKey> {
    let begins = DateTime::strptime(NAME_FORMAT, &file.name).and_then(|time| time.to_zoned(TimeZone::UTC));
    let signs_from = begins.context("its file is not named by a time, as 20260102T030405Z.pem")?.timestamp();
    let encoding = EncodingKey::from_ec_pem(file.text.as_bytes()).context("it does not begin with an EC key in PEM")?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, encoding.as_bytes())
        .map_err(|_| anyhow!("it is no P-256 key"))?;
    let certificate =
        file.text.find(CERTIFICATE).and_then(|at| file.text.get(at..)).context("it has no certificate")?;
    let (id, [x, y]) = public_half(&pair).context("it has no public half")?;
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(id.clone());
    header.x5c = x5c.then(|| vec![certificate.lines().filter(|line| !line.starts_with('-')).collect()]);
    Ok(TokenKey {
        signs_from,
        certificate: certificate.to_owned(),
        header,
        encoding,
        decoding: DecodingKey::from_ec_components(&x, &y)?,
        public: json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": id, "x": x, "y": y }),
        id,
    })
}

/// A key's fingerprint, and the two coordinates of its point in base64url.
fn public_half(pair: &EcdsaKeyPair) -> Option<(String, [String; 2])> {
    let point = pair.public_key();
    let (0x04, coordinates) = point.as_ref().split_first().map(|(form, rest)| (*form, rest))? else { return None };
    let (x, y) = coordinates.split_at_checked(32)?;
    Some((fingerprint(point.as_der().ok()?.as_ref()), [x, y].map(|coordinate| URL_SAFE_NO_PAD.encode(coordinate))))
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

    #[test]
    fn a_fingerprint_is_base32_in_groups_of_four() {
        // printf '' | sha256sum | cut -c-60 | xxd -r -p | base32
        assert_eq!(fingerprint(b""), "4OYM:IQUY:7QOB:JGX3:6TEJ:S35Z:EQT2:4QPE:MSNZ:GTFE:SWMR:W6CS");
    }

    #[test]
    fn each_key_waits_signs_fades_and_is_over() {
        use KeyState::{Fading, Over, Signing, Waiting};
        let at = |second| Timestamp::from_second(second).unwrap();
        let files = [300_000, 200_000, 100_000].map(|second| new_key(at(second)).unwrap());
        let ring = KeyRing::read(&files, false).unwrap();
        for (second, expected) in [
            (0, [Signing, Waiting, Waiting]),
            (100_000, [Signing, Waiting, Waiting]),
            (199_999, [Signing, Waiting, Waiting]),
            (200_000, [Fading, Signing, Waiting]),
            (228_799, [Fading, Signing, Waiting]),
            (228_800, [Over, Signing, Waiting]),
            (300_000, [Over, Fading, Signing]),
            (999_999, [Over, Over, Signing]),
        ] {
            let states: Vec<_> = ring.keys(at(second)).map(|(_, state)| state).collect();
            assert_eq!(states, expected, "{second}");
            let published = expected.iter().filter(|state| **state != Over).count();
            assert_eq!(ring.key_set(at(second))["keys"].as_array().map(Vec::len), Some(published));
        }
    }

    #[test]
    fn a_file_that_is_no_key_says_which_and_why() {
        let good = new_key(Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(good.name, "19700101T000000Z");
        let named = |name: &str| KeyFile { name: name.to_owned(), text: good.text.clone() };
        let written = |text: &str| KeyFile { name: good.name.clone(), text: text.to_owned() };
        for (file, reason) in [
            (named("key"), "named by a time"),
            (written("x"), "EC key in PEM"),
            (written(good.text.split(CERTIFICATE).next().unwrap()), "no certificate"),
        ] {
            let error = format!("{:#}", KeyRing::read(&[file], false).err().unwrap());
            assert!(error.contains(reason), "{error}");
        }
    }
}
