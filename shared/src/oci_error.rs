//! Error bodies of `/v2/` and `/token`: the closed list of codes, and their shape.
//!
//! Source: OCI distribution spec 1.1, "Error codes"; the codes beyond it are Distribution's, which clients know.
//! Must not choose a code for a refusal: that is done once per service, in its `http/error.rs`.

use serde::{Deserialize, Serialize};

/// A code that clients act upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// The repository has no such blob.
    BlobUnknown,
    /// The upload cannot go on like this.
    BlobUploadInvalid,
    /// There is no such upload.
    BlobUploadUnknown,
    /// Malformed, or not the digest of the content.
    DigestInvalid,
    /// The manifest names something the repository does not have.
    ManifestBlobUnknown,
    /// The manifest breaks a rule of its format.
    ManifestInvalid,
    /// The repository has no such manifest.
    ManifestUnknown,
    /// The repository's name is outside the grammar.
    NameInvalid,
    /// There is no such repository.
    NameUnknown,
    /// A length disagrees with the content.
    SizeInvalid,
    /// The tag is outside the grammar.
    TagInvalid,
    /// A page size is not a number that can be used.
    PaginationNumberInvalid,
    /// No usable credentials.
    Unauthorized,
    /// Known, and not allowed.
    Denied,
    /// Not offered here.
    Unsupported,
    /// Too much at once.
    #[serde(rename = "TOOMANYREQUESTS")]
    TooManyRequests,
    /// Cannot answer now; the same request may succeed later.
    Unavailable,
    /// A fault of the server.
    Unknown,
}

/// One error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorEntry {
    /// What clients act upon.
    pub code: ErrorCode,
    /// What people read.
    pub message: String,
    /// More, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<serde_json::Value>,
}

/// The body of every error answer; it holds at least one error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The errors.
    pub errors: Vec<ErrorEntry>,
}

impl ErrorBody {
    /// A body with one error.
    pub fn one(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { errors: vec![ErrorEntry { code, message: message.into(), detail: None }] }
    }

    /// The same, with something for programs.
    pub fn with_detail(code: ErrorCode, message: impl Into<String>, detail: serde_json::Value) -> Self {
        Self { errors: vec![ErrorEntry { code, message: message.into(), detail: Some(detail) }] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_as_the_spec_writes_them() {
        let written = |code| serde_json::to_string(&code).unwrap();
        assert_eq!(written(ErrorCode::ManifestBlobUnknown), "\"MANIFEST_BLOB_UNKNOWN\"");
        assert_eq!(written(ErrorCode::TooManyRequests), "\"TOOMANYREQUESTS\"");
    }
}
