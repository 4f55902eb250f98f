//! An upload's id, and what is remembered of it between requests.

use serde::{Deserialize, Serialize};
use shared::revocations::Position;
use shared::{Algorithm, Reach};
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
    /// What of the opener's token is remembered, where tokens are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<OpeningToken>,
}

impl Opener {
    /// Whether that is the client `subject` in the repository of this id.
    pub fn is(&self, subject: &str, repository_id: &str) -> bool {
        self.subject == subject && self.repository_id == repository_id
    }
}

/// The token with which an upload was opened: as long as nothing voids that one, the upload goes on with one whose time is
/// over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningToken {
    /// The access token that it was issued for, if it was.
    pub credential: Option<String>,
    /// When that access token ends by itself, in seconds since the Unix epoch.
    pub until: Option<i64>,
    /// From where it might be used.
    #[serde(default)]
    pub reach: Reach,
    /// Where the index's feed of revocations stood when its rights were read.
    pub as_of: Position,
    /// When it was used, in seconds since the Unix epoch.
    pub at: i64,
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
