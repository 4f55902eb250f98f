//! `/v2/<name>/blobs/uploads/…`: OCI distribution spec 1.1, end-4 to end-6, end-11, end-13 and end-14.
//!
//! A `Location` holds the upload's id and no right and no state: those lie in storage, where every replica sees them.

use super::auth::{Push, Resume, Status};
use super::error::{Handled, range_header};
use super::headers::{CONTENT_DIGEST, UPLOAD_UUID, blob_location, upload_location};
use super::places::Place;
use super::query::Query;
use crate::domain::Registry;
use crate::domain::admission::Permit;
use crate::domain::refusal::Refusal;
use crate::domain::uploads::Placement;
use crate::model::range::chunk;
use crate::model::upload::UploadId;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_RANGE, LOCATION};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use jiff::Timestamp;
use shared::digest::DigestError;
use shared::{Algorithm, Digest, RepositoryName};

/// Begins an upload; or takes the whole blob at once (`digest`); or mounts one (`mount`).
pub async fn begin(Push(permit): Push, request: HttpRequest, body: Payload, registry: Data<Registry>) -> Handled {
    let query = Query::of(&request);
    if let Some(digest) = query.one("mount")?.map(Digest::parse).transpose()? {
        let from = query.one("from")?.filter(|from| !from.is_empty()).map(RepositoryName::parse).transpose();
        // What is no name has nothing that could be mounted.
        if let Ok(from) = from
            && registry.mount(&permit, &digest, from.as_ref()).await?
        {
            return Ok(created(&permit, &digest));
        }
    }
    let digest = query.one("digest")?.map(Digest::parse).transpose()?;
    let algorithm = match query.one("digest-algorithm")? {
        Some(name) => Algorithm::parse(name).ok_or(DigestError::Unsupported)?,
        None => digest.as_ref().map_or(Algorithm::Sha256, Digest::algorithm),
    };
    let placement = placement(&request)?;
    let id = registry.begin_upload(&permit, algorithm, Timestamp::now()).await?;
    let Some(digest) = digest else {
        return Ok(unfinished(HttpResponse::Accepted(), &permit, id, 0));
    };
    if let Err(refusal) = registry.finish_upload(&permit, id, placement, body, &digest).await {
        // The client was never told its id, so nobody can go on with it; gone already if the digest was wrong.
        let _ = registry.cancel_upload(&permit, id).await;
        return Err(refusal.into());
    }
    Ok(created(&permit, &digest))
}

pub async fn status(Status(permit): Status, request: HttpRequest, registry: Data<Registry>) -> Handled {
    let id = upload(&request)?;
    let offset = registry.upload_offset(&permit, id).await?;
    Ok(unfinished(HttpResponse::NoContent(), &permit, id, offset))
}

pub async fn append(Resume(permit): Resume, request: HttpRequest, body: Payload, registry: Data<Registry>) -> Handled {
    let id = upload(&request)?;
    let offset = registry.append_upload(&permit, id, placement(&request)?, body).await?;
    Ok(unfinished(HttpResponse::Accepted(), &permit, id, offset))
}

pub async fn finish(Resume(permit): Resume, request: HttpRequest, body: Payload, registry: Data<Registry>) -> Handled {
    let id = upload(&request)?;
    let digest = Query::of(&request).one("digest")?.map(Digest::parse).transpose()?;
    let digest = digest.ok_or(Refusal::Upload("the parameter 'digest' is missing"))?;
    registry.finish_upload(&permit, id, placement(&request)?, body, &digest).await?;
    Ok(created(&permit, &digest))
}

pub async fn cancel(Resume(permit): Resume, request: HttpRequest, registry: Data<Registry>) -> Handled {
    registry.cancel_upload(&permit, upload(&request)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn upload(request: &HttpRequest) -> Result<UploadId, Refusal> {
    UploadId::parse(Place::of(request).last).ok_or(Refusal::UploadUnknown)
}

fn placement(request: &HttpRequest) -> Result<Placement, Refusal> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let malformed = Refusal::Size("Content-Range is '<first byte>-<last byte>'");
    let chunk = header(CONTENT_RANGE).map(|range| chunk(range).ok_or(malformed)).transpose()?;
    let length = header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
    Ok(Placement { chunk, length })
}

fn created(permit: &Permit, digest: &Digest) -> HttpResponse {
    HttpResponse::Created()
        .insert_header((LOCATION, blob_location(&permit.repository.name, digest)))
        .insert_header((CONTENT_DIGEST, digest.as_str()))
        .finish()
}

fn unfinished(mut answer: HttpResponseBuilder, permit: &Permit, id: UploadId, offset: u64) -> HttpResponse {
    answer
        .insert_header((LOCATION, upload_location(&permit.repository.name, id)))
        .insert_header((UPLOAD_UUID, id.to_string()))
        .insert_header(range_header(offset))
        .finish()
}
