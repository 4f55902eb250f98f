//! What a manifest is asked for by: a tag or a digest.

use crate::digest::{Digest, DigestError};
use crate::text::text_noun;
use serde::{Deserialize, Serialize};

/// Longest tag, in bytes (OCI distribution spec 1.1).
const MAX_TAG: usize = 128;

/// The text is not `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a tag has 1 to 128 letters, digits, '_', '.' or '-', and begins with none of '.' and '-'")]
pub struct TagError;

/// A movable name for a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Tag(String);

text_noun!(Tag, at most MAX_TAG, like "^[a-zA-Z0-9_][a-zA-Z0-9._-]*$", as "v1", says "letters, digits, `_`, `.` and `-`, beginning with none of the last two");

impl Tag {
    /// Parses `text` as a tag.
    pub fn parse(text: &str) -> Result<Self, TagError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Tag {
    type Error = TagError;

    fn try_from(text: String) -> Result<Self, TagError> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let begins_well = text.bytes().next().is_some_and(is_word);
        let goes_on_well = text.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'));
        if begins_well && goes_on_well && text.len() <= MAX_TAG { Ok(Self(text)) } else { Err(TagError) }
    }
}

/// Why the last part of a manifest's address is neither tag nor digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It has a colon, so it was meant as a digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// It has no colon, so it was meant as a tag.
    #[error(transparent)]
    Tag(#[from] TagError),
}

/// The last part of a manifest's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// By movable name.
    Tag(Tag),
    /// By content.
    Digest(Digest),
}

impl Reference {
    /// Parses `text`: whatever has a colon is a digest, since a tag cannot have one.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if text.contains(':') { Ok(Self::Digest(Digest::parse(text)?)) } else { Ok(Self::Tag(Tag::parse(text)?)) }
    }

    /// The text, exactly as it was parsed.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag.as_str(),
            Self::Digest(digest) => digest.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_follow_the_grammar_of_the_spec() {
        for good in ["latest", "v1.2.3", "_x", "A-b", &"a".repeat(128)] {
            assert!(Tag::parse(good).is_ok(), "{good} is a tag");
        }
        for bad in ["", ".a", "-a", "a/b", "a b", "../x", "ä", "a:b", &"a".repeat(129)] {
            assert!(Tag::parse(bad).is_err(), "{bad:?} is no tag");
        }
    }

    #[test]
    fn a_colon_makes_it_a_digest() {
        let digest = format!("sha256:{}", "a".repeat(64));
        assert!(matches!(Reference::parse(&digest), Ok(Reference::Digest(_))));
        assert!(matches!(Reference::parse("v1"), Ok(Reference::Tag(_))));
        assert_eq!(Reference::parse("sha256:bad"), Err(ReferenceError::Digest(DigestError::Malformed)));
    }
}
