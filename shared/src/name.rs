//! Names of namespaces and repositories: their grammar, and how one leads to the other.
//!
//! Must not know who owns a name: that is the index's.

use crate::text::text_noun;
use serde::{Deserialize, Serialize};

/// Longest repository name, in bytes. Clients limit host, slash and name together to 255; a name alone can never be
/// longer.
const MAX_REPOSITORY_NAME: usize = 255;

/// Longest namespace name, in bytes.
const MAX_NAMESPACE_NAME: usize = 64;

/// The namespace that also governs bare names such as `ubuntu`.
const LIBRARY: &str = "library";

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, or longer than the limit in bytes.
    #[error("a name has 1 to {0} characters")]
    Length(usize),
    /// Outside the grammar of the OCI distribution spec.
    #[error(
        "each part of a name is lower-case letters and digits, joined by '.', '_', '__' or '-', and parts are joined by '/'"
    )]
    Grammar,
}

/// The whole name of a repository: `acme/tools/app`, or a bare `ubuntu`.
///
/// Grammar: OCI distribution spec 1.1, "Pulling manifests".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct RepositoryName(String);

text_noun!(
    RepositoryName,
    at most MAX_REPOSITORY_NAME,
    like "^[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*)*$",
    as "acme/app",
    says "lower-case letters and digits, joined by `.`, `_`, `__` or `-`; parts of it are joined by `/`"
);

impl RepositoryName {
    /// Parses `text`, which must match the grammar whole.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Self::try_from(text.to_owned())
    }

    /// The namespace that governs this name: the first part, or `library` for a bare name.
    pub fn namespace(&self) -> NamespaceName {
        match self.0.split_once('/') {
            Some((first, _)) => NamespaceName(first.to_owned()),
            None => NamespaceName::library(),
        }
    }

    /// Whether the name has one part only, as `ubuntu`.
    pub fn is_bare(&self) -> bool {
        !self.0.contains('/')
    }
}

impl TryFrom<String> for RepositoryName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        if text.is_empty() || text.len() > MAX_REPOSITORY_NAME {
            return Err(NameError::Length(MAX_REPOSITORY_NAME));
        }
        if text.split('/').all(is_component) { Ok(Self(text)) } else { Err(NameError::Grammar) }
    }
}

/// The first part of a repository name; also the name of the account or organisation that owns it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct NamespaceName(String);

text_noun!(
    NamespaceName,
    at most MAX_NAMESPACE_NAME,
    like "^[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*$",
    as "acme",
    says "lower-case letters and digits, joined by `.`, `_`, `__` or `-`"
);

impl NamespaceName {
    /// Parses `text`: one part of a repository name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Self::try_from(text.to_owned())
    }

    /// The built-in namespace `library`.
    pub fn library() -> Self {
        Self(LIBRARY.to_owned())
    }

    /// Whether this is `library`.
    pub fn is_library(&self) -> bool {
        self.0 == LIBRARY
    }
}

impl TryFrom<String> for NamespaceName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        if text.is_empty() || text.len() > MAX_NAMESPACE_NAME {
            return Err(NameError::Length(MAX_NAMESPACE_NAME));
        }
        if is_component(&text) { Ok(Self(text)) } else { Err(NameError::Grammar) }
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`: runs of letters and digits, joined by one separator each.
fn is_component(part: &str) -> bool {
    let is_run = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    let ends_well = bytes.first().copied().is_some_and(is_run) && bytes.last().copied().is_some_and(is_run);
    ends_well
        && bytes.split(|byte| is_run(*byte)).all(|separator| {
            matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|byte| *byte == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_names_follow_the_grammar_of_the_spec() {
        for good in ["a", "ubuntu", "acme/app", "acme/tools/app", "a.b/c_d/e__f/g---h", "0/1", "a/blobs/uploads/b"] {
            assert!(RepositoryName::parse(good).is_ok(), "{good} is a name");
        }
        let bad = [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "A",
            "a/B",
            ".a",
            "a.",
            "a..b",
            "a___b",
            "a._b",
            "-a",
            "a-",
            "_layers",
            "a/_layers",
            "..",
            "a/../b",
            "a b",
            "a\0b",
            "ä",
            "a\\b",
            "a:b",
        ];
        for bad in bad {
            assert!(RepositoryName::parse(bad).is_err(), "{bad:?} is no name");
        }
    }

    #[test]
    fn a_name_of_255_bytes_is_the_longest() {
        assert!(RepositoryName::parse(&"a".repeat(255)).is_ok());
        assert_eq!(RepositoryName::parse(&"a".repeat(256)), Err(NameError::Length(255)));
    }

    #[test]
    fn library_governs_bare_names() {
        let namespace = |text: &str| RepositoryName::parse(text).map(|name| name.namespace().to_string());
        assert_eq!(namespace("ubuntu"), Ok("library".to_owned()));
        assert_eq!(namespace("library/ubuntu"), Ok("library".to_owned()));
        assert_eq!(namespace("acme/tools/app"), Ok("acme".to_owned()));
    }
}
