//! Content digests: `sha256:…` and `sha512:…`, checked when parsed.
//!
//! Must not compute one: hashing belongs to whoever holds the bytes.

use crate::text::text_noun;
use serde::{Deserialize, Serialize};

/// A digest algorithm whose content this registry can check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// SHA-256, the canonical one: 64 hex digits.
    Sha256,
    /// SHA-512: 128 hex digits.
    Sha512,
}

impl Algorithm {
    /// Every algorithm, the canonical one first.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// The registered name, as it stands before the colon.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The algorithm of that registered name, if it is one of ours.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    fn hex_length(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// Why a text is not a digest that can be used here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// No `algorithm:encoded`, or the encoded part is not what the algorithm makes.
    #[error("a digest is 'sha256:' with 64 lower-case hex digits, or 'sha512:' with 128")]
    Malformed,
    /// Well-formed perhaps, but of an algorithm this registry cannot check.
    #[error("the digest algorithm is not supported; use sha256 or sha512")]
    Unsupported,
}

/// The digest of some content: OCI image spec, "Digests".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Digest(String);

text_noun!(
    Digest,
    at most 7 + 128,
    like "^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$",
    as "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    says "`sha256:` with 64 lower-case hex digits, or `sha512:` with 128"
);

impl Digest {
    /// Parses `text` as `algorithm:hex`. Upper-case hex is malformed, as the image spec says.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        Self::try_from(text.to_owned())
    }

    /// The digest with these raw bytes, as a hash function returns them.
    ///
    /// The length must be the algorithm's, which it is for whatever that hash function returned.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut text = String::with_capacity(algorithm.as_str().len() + 1 + bytes.len() * 2);
        text.push_str(algorithm.as_str());
        text.push(':');
        for byte in bytes {
            for nibble in [byte >> 4, byte & 0xf] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        Self(text)
    }

    /// The algorithm before the colon.
    pub fn algorithm(&self) -> Algorithm {
        if self.0.starts_with("sha512:") { Algorithm::Sha512 } else { Algorithm::Sha256 }
    }

    /// The hex digits after the colon.
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        let (algorithm, hex) = text.split_once(':').ok_or(DigestError::Malformed)?;
        let is_algorithm = !algorithm.is_empty()
            && algorithm.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'.' | b'_' | b'-'));
        if !is_algorithm {
            return Err(DigestError::Malformed);
        }
        let algorithm = Algorithm::parse(algorithm).ok_or(DigestError::Unsupported)?;
        // To its end, whatever comes: many bytes are looked at in one step then.
        let is_hex = hex.bytes().fold(true, |is_hex, byte| is_hex & matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_hex && hex.len() == algorithm.hex_length() { Ok(Self(text)) } else { Err(DigestError::Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_algorithms_parse_and_tell_their_parts() {
        for (algorithm, length) in [(Algorithm::Sha256, 64), (Algorithm::Sha512, 128)] {
            let text = format!("{}:{}", algorithm.as_str(), "0f".repeat(length / 2));
            let digest = Digest::parse(&text).unwrap();
            assert_eq!((digest.algorithm(), digest.hex().len(), digest.as_str()), (algorithm, length, text.as_str()));
        }
    }

    #[test]
    fn bytes_become_lower_case_hex() {
        let digest = Digest::from_bytes(Algorithm::Sha256, &[0xAB; 32]);
        assert_eq!(Digest::parse(digest.as_str()), Ok(digest.clone()));
        assert!(digest.hex().starts_with("abab"));
    }

    #[test]
    fn what_cannot_be_checked_is_refused() {
        let hex = "a".repeat(64);
        assert_eq!(Digest::parse(&format!("md5:{}", "a".repeat(32))), Err(DigestError::Unsupported));
        let bad = [
            String::new(),
            "sha256".into(),
            "sha256:".into(),
            ":abc".into(),
            "sha256:baddigeststring".into(),
            format!("sha256:{}", hex.to_uppercase()),
            format!("sha256:{hex}0"),
            format!("sha256:{}", "../".repeat(21)),
            format!("SHA256:{hex}"),
            format!("sha512:{hex}"),
        ];
        for text in bad {
            assert_eq!(Digest::parse(&text), Err(DigestError::Malformed), "{text:?}");
        }
    }
}
