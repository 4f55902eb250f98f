//! `/v2/<name>/blobs/<digest>`: OCI distribution spec 1.1, end-2 and end-10.

use super::auth::{Delete, Pull};
use super::error::Handled;
use super::front::Front;
use super::headers::{ACCEL, ACCEL_REDIRECT, CONTENT_DIGEST, IMMUTABLE, client_has, etag, range};
use super::places::Place;
use crate::domain::Registry;
use crate::domain::blobs::Blob;
use crate::domain::refusal::Refusal;
use crate::model::range::{Wanted, wanted};
use actix_web::body::{BoxBody, SizedStream};
use actix_web::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, ETAG, HeaderName, HeaderValue, IF_MATCH,
    IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::stream;
use shared::Digest;
use std::io;

/// On whole answers, as nginx has it: a part shows it by itself.
const TAKES_RANGES: (HeaderName, &str) = (ACCEPT_RANGES, "bytes");

/// Digits of a number that nginx surely reads.
const LONGEST_NUMBER: usize = 18;

pub async fn read(Pull(permit): Pull, request: HttpRequest, registry: Data<Registry>) -> Handled {
    let digest = digest(&request)?;
    let blob = registry.blob_to_send(&permit.repository, &digest).await?;
    if client_has(&request, &digest) {
        return Ok(described(HttpResponse::NotModified(), &digest).finish());
    }
    let size = blob.size();
    let wanted = wanted(range(&request, &digest), size);
    if let Some(place) = place_for_nginx(&request, &blob, wanted) {
        return Ok(described(HttpResponse::Ok(), &digest).insert_header((ACCEL_REDIRECT, place)).finish());
    }
    match wanted {
        Wanted::Whole => Ok(described(HttpResponse::Ok(), &digest).insert_header(TAKES_RANGES).body(match blob {
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

/// The location from which the nginx in front can send the blob itself; ranges too are its own then, as far as it surely
/// reads them as we do. Conditions that we do not know it would judge.
fn place_for_nginx(request: &HttpRequest, blob: &Blob, wanted: Wanted) -> Option<String> {
    let location = request.app_data::<Data<Front>>()?.accel.as_deref()?;
    let Blob::Open(blob) = blob else { return None };
    let has = |header| request.headers().contains_key(header);
    let is_plain = match wanted {
        Wanted::Whole => !has(RANGE),
        Wanted::Part { .. } => !has(IF_RANGE),
        Wanted::Unsatisfiable => false,
    };
    let is_plain = is_plain && ![IF_MATCH, IF_UNMODIFIED_SINCE].into_iter().any(has) && !overflows(request);
    let place = blob.place().filter(|_| is_plain && !has(ACCEL))?;
    Some(format!("{location}{place}"))
}

/// Whether a number in the range asked for is too large for nginx.
fn overflows(request: &HttpRequest) -> bool {
    let range = request.headers().get(RANGE).map(HeaderValue::as_bytes).unwrap_or_default();
    range.split(|byte| !byte.is_ascii_digit()).any(|digits| digits.len() > LONGEST_NUMBER)
}

/// The same part of bytes in memory.
fn part(bytes: &Bytes, first: u64, length: u64) -> Bytes {
    let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    bytes.slice(place(first)..place(first.saturating_add(length)))
}

pub async fn stat(Pull(permit): Pull, request: HttpRequest, registry: Data<Registry>) -> Handled {
    let digest = digest(&request)?;
    let size = registry.blob(&permit.repository, &digest).await?.size;
    if client_has(&request, &digest) {
        return Ok(described(HttpResponse::NotModified(), &digest).finish());
    }
    // The length is declared and nothing is sent: an empty body would make it 0.
    let nothing = SizedStream::new(size, stream::empty::<io::Result<_>>());
    Ok(described(HttpResponse::Ok(), &digest).insert_header(TAKES_RANGES).body(nothing))
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
        .insert_header((CACHE_CONTROL, IMMUTABLE))
        .insert_header((CONTENT_DISPOSITION, "attachment"))
        .content_type("application/octet-stream");
    answer
}
