//! `/v2/<name>/blobs/<digest>`: OCI distribution spec 1.1, end-2 and end-10.

use super::auth::{Delete, Pull};
use super::error::Handled;
use super::headers::{CONTENT_DIGEST, IMMUTABLE, client_has, etag, range};
use super::places::Place;
use crate::domain::Registry;
use crate::domain::blobs::Blob;
use crate::domain::refusal::Refusal;
use crate::model::range::{Wanted, wanted};
use actix_web::body::{BoxBody, SizedStream};
use actix_web::http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, ETAG};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::stream;
use shared::Digest;
use std::io;

pub async fn read(Pull(permit): Pull, request: HttpRequest, registry: Data<Registry>) -> Handled {
    let digest = digest(&request)?;
    let blob = registry.blob_to_send(&permit.repository, &digest).await?;
    if client_has(&request, &digest) {
        return Ok(described(HttpResponse::NotModified(), &digest).finish());
    }
    let size = blob.size();
    match wanted(range(&request, &digest), size) {
        Wanted::Whole => Ok(described(HttpResponse::Ok(), &digest).body(match blob {
            Blob::Small(bytes) => BoxBody::new(bytes),
            Blob::Open(blob) => BoxBody::new(SizedStream::new(size, blob.whole())),
        })),
        Wanted::Part { first, last } => {
            let length = last - first + 1;
            Ok(described(HttpResponse::PartialContent(), &digest)
                .insert_header((CONTENT_RANGE, format!("bytes {first}-{last}/{size}")))
                .body(match blob {
                    Blob::Small(bytes) => BoxBody::new(part(&bytes, first, length)),
                    Blob::Open(blob) => BoxBody::new(SizedStream::new(length, blob.part(first, length))),
                }))
        }
        Wanted::Unsatisfiable => Err(Refusal::RangeNotSatisfiable { size }.into()),
    }
}

/// The same part of bytes in memory.
fn part(bytes: &Bytes, first: u64, length: u64) -> Bytes {
    let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    bytes.slice(place(first)..place(first.saturating_add(length)))
}

pub async fn stat(Pull(permit): Pull, request: HttpRequest, registry: Data<Registry>) -> Handled {
    let digest = digest(&request)?;
    let size = registry.blob(&permit.repository, &digest).await?.size;
    // The length is declared and nothing is sent: an empty body would make it 0.
    let nothing = SizedStream::new(size, stream::empty::<io::Result<_>>());
    Ok(described(HttpResponse::Ok(), &digest).body(nothing))
}

pub async fn delete(Delete(permit): Delete, request: HttpRequest, registry: Data<Registry>) -> Handled {
    registry.delete_blob(&permit, &digest(&request)?).await?;
    Ok(HttpResponse::Accepted().finish())
}

fn digest(request: &HttpRequest) -> Result<Digest, Refusal> {
    Ok(Digest::parse(Place::of(request).last)?)
}

/// A blob is never a page: a browser that is led here saves it.
fn described(mut answer: HttpResponseBuilder, digest: &Digest) -> HttpResponseBuilder {
    answer
        .insert_header((CONTENT_DIGEST, digest.as_str()))
        .insert_header((ETAG, etag(digest)))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CACHE_CONTROL, IMMUTABLE))
        .insert_header((CONTENT_DISPOSITION, "attachment"))
        .content_type("application/octet-stream");
    answer
}
