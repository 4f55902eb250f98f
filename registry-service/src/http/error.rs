//! The one place that turns a refusal into an answer: status, OCI code, headers, body.
//!
//! A 5xx tells the client a code; what went wrong stands in the log under the request's id, which is in a header.

use super::headers::{UPLOAD_UUID, upload_location};
use crate::domain::refusal::{CredentialFault, Deletable, Refusal};
use crate::model::manifest::ManifestError;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde_json::json;
use shared::oci_error::{ErrorBody, ErrorCode, ErrorEntry};
use shared::{Digest, Scope};
use std::fmt;

/// Seconds after which a client may try again.
const RETRY_AFTER: &str = "2";

/// Errors in one answer; who lacks more sees the rest when these are mended.
const MOST_ERRORS: usize = 100;

/// A refusal on its way to the client.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A request that no route takes.
#[derive(Debug)]
pub enum NotHere {
    /// The path means nothing.
    Path(String),
    /// The path has other methods: these.
    Method(&'static str),
}

/// What handlers return.
pub type Handled = Result<HttpResponse, Json<Refusal>>;

impl<E> From<E> for Json<Refusal>
where
    Refusal: From<E>,
{
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Json<Refusal> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for NotHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "there is nothing at {path}"),
            Self::Method(allow) => write!(f, "this method is not offered here; these are: {allow}"),
        }
    }
}

/// Scopes as a challenge lists them.
pub fn scopes_of(scopes: &[Scope]) -> String {
    scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

impl ResponseError for Json<Refusal> {
    fn status_code(&self) -> StatusCode {
        outcome(&self.0).0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, code) = outcome(&self.0);
        let mut answer = HttpResponse::build(status);
        if status.is_server_error() {
            match &self.0 {
                Refusal::Busy => tracing::info!(error = %self.0, "the request has to come again"),
                error => tracing::error!(%error, "the request failed"),
            }
            answer.insert_header((header::RETRY_AFTER, RETRY_AFTER));
        }
        match &self.0 {
            Refusal::UploadOffset { name, id, offset } => {
                answer.insert_header((header::LOCATION, upload_location(name, *id)));
                answer.insert_header((UPLOAD_UUID, id.to_string()));
                answer.insert_header((header::RANGE, acknowledged(*offset)));
            }
            Refusal::ReadOnly => {
                answer.insert_header((header::ALLOW, "GET, HEAD"));
            }
            Refusal::InUse { kind, .. } | Refusal::DeletesDisabled(kind) => {
                let others = match kind {
                    Deletable::Blob => "GET, HEAD",
                    Deletable::Manifest => "GET, HEAD, PUT",
                };
                answer.insert_header((header::ALLOW, others));
            }
            Refusal::RangeNotSatisfiable { size } => {
                answer.insert_header((header::CONTENT_RANGE, format!("bytes */{size}")));
            }
            _ => {}
        }
        answer.json(body(&self.0, code))
    }
}

impl ResponseError for NotHere {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Path(_) => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer: HttpResponseBuilder = HttpResponse::build(self.status_code());
        let code = match self {
            // Not NAME_UNKNOWN: some clients take that for a missing repository, and this for a missing feature.
            Self::Path(_) => ErrorCode::Unsupported,
            Self::Method(allow) => {
                answer.insert_header((header::ALLOW, *allow));
                ErrorCode::Unsupported
            }
        };
        answer.json(ErrorBody::one(code, self.to_string()))
    }
}

/// What clients read as "so many bytes are there". Nothing yet is written as `0-0` too: docker parses it.
pub fn acknowledged(offset: u64) -> String {
    format!("0-{}", offset.saturating_sub(1))
}

/// A header's value for an offset.
pub fn range_header(offset: u64) -> (HeaderName, String) {
    (header::RANGE, acknowledged(offset))
}

fn outcome(refusal: &Refusal) -> (StatusCode, ErrorCode) {
    match refusal {
        Refusal::Unauthorized { .. } => (StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized),
        Refusal::Denied(_) | Refusal::Address => (StatusCode::FORBIDDEN, ErrorCode::Denied),
        Refusal::Name(_) => (StatusCode::BAD_REQUEST, ErrorCode::NameInvalid),
        Refusal::DigestGrammar(_) | Refusal::DigestMismatch { .. } => {
            (StatusCode::BAD_REQUEST, ErrorCode::DigestInvalid)
        }
        Refusal::Tag(_) | Refusal::TagTwice => (StatusCode::BAD_REQUEST, ErrorCode::TagInvalid),
        Refusal::TooManyTags(_) => (StatusCode::URI_TOO_LONG, ErrorCode::TagInvalid),
        Refusal::RepositoryUnknown(_) => (StatusCode::NOT_FOUND, ErrorCode::NameUnknown),
        Refusal::BlobUnknown(_) => (StatusCode::NOT_FOUND, ErrorCode::BlobUnknown),
        Refusal::ManifestUnknown(_) => (StatusCode::NOT_FOUND, ErrorCode::ManifestUnknown),
        Refusal::Manifest(
            ManifestError::Json(_)
            | ManifestError::Schema1
            | ManifestError::MediaType(_)
            | ManifestError::Disagreement { .. }
            | ManifestError::Shape(_),
        ) => (StatusCode::BAD_REQUEST, ErrorCode::ManifestInvalid),
        Refusal::ManifestTooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::ManifestInvalid),
        Refusal::ManifestBlobUnknown(_) => (StatusCode::BAD_REQUEST, ErrorCode::ManifestBlobUnknown),
        Refusal::InUse { .. } | Refusal::DeletesDisabled(_) | Refusal::ReadOnly => {
            (StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported)
        }
        Refusal::Size(_) => (StatusCode::BAD_REQUEST, ErrorCode::SizeInvalid),
        Refusal::Upload(_) | Refusal::BodyCut => (StatusCode::BAD_REQUEST, ErrorCode::BlobUploadInvalid),
        Refusal::UploadUnknown => (StatusCode::NOT_FOUND, ErrorCode::BlobUploadUnknown),
        Refusal::UploadOffset { .. } | Refusal::RangeNotSatisfiable { .. } => {
            (StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::BlobUploadInvalid)
        }
        Refusal::Page => (StatusCode::BAD_REQUEST, ErrorCode::PaginationNumberInvalid),
        Refusal::Busy | Refusal::Index(_) => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable),
        Refusal::Storage(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            (StatusCode::INSUFFICIENT_STORAGE, ErrorCode::Unavailable)
        }
        Refusal::Storage(_) => (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Unknown),
    }
}

/// Who may not see a repository is told what is told of one that is not there.
const NOT_YOURS: &str =
    "the repository does not exist, or you may not do this there; docker login with an account that may";

fn body(refusal: &Refusal, code: ErrorCode) -> ErrorBody {
    match refusal {
        Refusal::Unauthorized { scopes, .. } if scopes.is_empty() => ErrorBody::one(code, "authentication required"),
        Refusal::Unauthorized { fault, scopes } => {
            let scope = scopes_of(scopes);
            let (message, detail) = match fault {
                CredentialFault::Insufficient { decision: Some(decision) } => (
                    format!("{NOT_YOURS}, or ask an administrator about decision {decision}"),
                    json!({ "scope": scope, "decision": decision }),
                ),
                _ => (NOT_YOURS.to_owned(), json!({ "scope": scope })),
            };
            ErrorBody::with_detail(code, message, detail)
        }
        Refusal::ManifestBlobUnknown(missing) => {
            let entry = |digest: &Digest| ErrorEntry {
                code,
                message: refusal.to_string(),
                detail: Some(json!({ "digest": digest.as_str() })),
            };
            ErrorBody { errors: missing.iter().take(MOST_ERRORS).map(entry).collect() }
        }
        Refusal::Storage(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            ErrorBody::one(code, "the registry's disk is full")
        }
        Refusal::Storage(_) => ErrorBody::one(code, "the registry failed; its log says why"),
        Refusal::Index(_) => ErrorBody::one(code, "the registry cannot reach its index now; try again"),
        other => ErrorBody::one(code, other.to_string()),
    }
}
