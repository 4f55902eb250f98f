//! Cursors: where the next page of a list begins, in a form that only this index can have given, for that list only.
//!
//! Must not know what a text means in its list.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Bytes of a signature: all that HMAC with SHA-256 has.
const SIGNATURE: usize = 32;

/// Signs cursors, and reads its own.
pub struct Cursors(Key);

impl Cursors {
    /// Signs with `secret`.
    pub fn new(secret: &str) -> Self {
        Self(Key::new(HMAC_SHA256, secret.as_bytes()))
    }

    /// The cursor to what follows `text` in `list`, which is an address.
    pub fn to(&self, list: &str, text: &str) -> String {
        let signature = sign(&self.0, &signed(list, text.as_bytes()));
        URL_SAFE_NO_PAD.encode([signature.as_ref(), text.as_bytes()].concat())
    }

    /// The text that `cursor` leads to in `list`; `None` if it was not given for that.
    pub fn text(&self, list: &str, cursor: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (signature, text) = bytes.split_at_checked(SIGNATURE)?;
        verify(&self.0, &signed(list, text), signature).ok()?;
        String::from_utf8(text.to_owned()).ok()
    }
}

/// No address has a space in it.
fn signed(list: &str, text: &[u8]) -> Vec<u8> {
    [list.as_bytes(), b" ", text].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_list_and_its_index_only() {
        let (own, other) = (Cursors::new("own"), Cursors::new("other"));
        for text in ["", "zoë", "name with spaces"] {
            let cursor = own.to("/orgs", text);
            assert_eq!(own.text("/orgs", &cursor).as_deref(), Some(text));
            assert_eq!(own.text("/repositories", &cursor), None);
            assert_eq!(other.text("/orgs", &cursor), None);
        }
    }

    #[test]
    fn a_cursor_that_was_changed_is_not_good() {
        let cursors = Cursors::new("secret");
        let bytes = URL_SAFE_NO_PAD.decode(cursors.to("/orgs", "acme")).unwrap();
        for position in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[position] ^= 1;
            assert_eq!(cursors.text("/orgs", &URL_SAFE_NO_PAD.encode(changed)), None, "{position}");
            assert_eq!(cursors.text("/orgs", &URL_SAFE_NO_PAD.encode(&bytes[..position])), None, "{position}");
        }
        assert_eq!(cursors.text("/orgs", "!"), None);
    }
}
