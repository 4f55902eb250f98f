//! An upload's id, and what is remembered of it between requests.

use serde::{Deserialize, Serialize};
use shared::Algorithm;
use std::fmt;
use uuid::Uuid;

/// The id of an upload: a UUID, as the OCI distribution spec asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UploadId(Uuid);

impl UploadId {
    /// A new one that nobody can guess.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// Parses the last part of an upload's address; only the hyphenated form is one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let id = Uuid::try_parse(text).ok()?;
        (id.hyphenated().to_string() == text).then_some(Self(id))
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Who opened an upload; nobody else goes on with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opener {
    /// The account; empty for an anonymous client.
    pub subject: String,
    /// The id of the repository it was opened in.
    pub repository_id: String,
}

/// What is acknowledged of an upload. Bytes in its file beyond `offset` are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadState {
    /// Who opened it.
    #[serde(flatten)]
    pub opener: Opener,
    /// How many bytes are acknowledged.
    pub offset: u64,
    /// Which algorithm `hash` is of.
    pub algorithm: Algorithm,
    /// The hash over the acknowledged bytes, to be gone on with; see `store/hashing.rs`.
    pub hash: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hyphenated_uuids_are_upload_ids() {
        let id = UploadId::random();
        assert_eq!(UploadId::parse(&id.to_string()), Some(id));
        let simple = id.to_string().replace('-', "");
        for bad in ["", "../x", "uploads", simple.as_str(), &id.to_string().to_uppercase(), &format!("{{{id}}}")] {
            assert_eq!(UploadId::parse(bad), None, "{bad:?}");
        }
    }
}
