//! Headers that several answers share.

use crate::model::upload::UploadId;
use actix_web::HttpRequest;
use actix_web::http::header::{HeaderName, IF_NONE_MATCH, IF_RANGE, RANGE};
use shared::{Digest, RepositoryName};

/// The digest of what an answer is about; docker and containerd compare it with what they asked for.
pub const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// The id of an upload, for clients that do not take it from `Location`.
pub const UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// Names the file that nginx sends in place of the answer's body.
pub const ACCEL_REDIRECT: HeaderName = HeaderName::from_static("x-accel-redirect");

/// `off` from an nginx that did not find the file it was told.
pub const ACCEL: HeaderName = HeaderName::from_static("x-accel");

/// Content by digest never changes; whether a client may have it can.
pub const IMMUTABLE: &str = "private, max-age=31536000, immutable";

/// The entity tag of content: its digest in quotes.
pub fn etag(digest: &Digest) -> String {
    ["\"", digest.as_str(), "\""].concat()
}

/// Where a blob can be had.
pub fn blob_location(name: &RepositoryName, digest: &Digest) -> String {
    format!("/v2/{name}/blobs/{digest}")
}

/// Where an upload goes on.
pub fn upload_location(name: &RepositoryName, id: UploadId) -> String {
    format!("/v2/{name}/blobs/uploads/{id}")
}

/// Whether the client has the content already. The digest counts with and without quotes, as Distribution has it.
pub fn client_has(request: &HttpRequest, digest: &Digest) -> bool {
    let tags = request.headers().get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    tags.flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'))
        .any(|tag| tag == "*" || tag == digest.as_str())
}

/// The range that a client asks for; none if it goes on from something else than this content (RFC 9110, 13.1.5).
pub fn range<'a>(request: &'a HttpRequest, digest: &Digest) -> Option<&'a str> {
    let goes_on = request.headers().get(IF_RANGE).is_none_or(|tag| tag == etag(digest).as_str());
    request.headers().get(RANGE).filter(|_| goes_on)?.to_str().ok()
}
