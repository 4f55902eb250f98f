//! Requests that may be sent twice and are carried out once: their keys, and the answers that are kept.

use super::fault::Fault;
use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;

/// For so long an answer is kept.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Characters of a key at most.
const MAX_KEY: usize = 255;

/// What a client calls one request of its own, as its hash.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Parses what the header `Idempotency-Key` has.
    pub fn parse(text: &[u8]) -> Result<Self, Fault> {
        if (1..=MAX_KEY).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic) {
            return Ok(Self(hash([text])));
        }
        let rule = "Idempotency-Key has 1 to 255 visible ASCII characters: take a random UUID";
        Err(Fault::of_parameter("Idempotency-Key", "wrong_form", rule))
    }

    /// What is kept of it.
    pub fn hash(&self) -> &str {
        &self.0
    }
}

/// What tells one request from another; no two lists of parts give the same.
pub fn hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    URL_SAFE_NO_PAD.encode(context.finish())
}

/// The answer to a request that was carried out.
#[derive(Debug, Clone)]
pub struct KeptAnswer {
    /// Its HTTP status.
    pub status: u16,
    /// Where what was made is.
    pub location: Option<String>,
    /// Its JSON.
    pub body: Option<String>,
    /// Whether it had a secret, which is not kept.
    pub had_secret: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_and_not_too_long() {
        for (key, is_good) in [
            ("x".to_owned(), true),
            ("x".repeat(255), true),
            ("x".repeat(256), false),
            (String::new(), false),
            ("a b".to_owned(), false),
            ("ä".to_owned(), false),
        ] {
            assert_eq!(IdempotencyKey::parse(key.as_bytes()).is_ok(), is_good, "{key}");
        }
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(hash([&b"ab"[..], b"c"]), hash([&b"a"[..], b"bc"]));
    }
}
