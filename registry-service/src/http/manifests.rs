//! `/v2/<name>/manifests/<reference>`: OCI distribution spec 1.1, end-3, end-7 and end-9.

use super::auth::{Delete, Pull, Push};
use super::error::Handled;
use super::headers::{CONTENT_DIGEST, client_has, etag};
use super::places::Place;
use super::query::Query;
use crate::domain::Registry;
use crate::domain::pushes::{Destination, Pushed};
use crate::domain::refusal::Refusal;
use crate::model::manifest::MAX_MANIFEST_BYTES;
use actix_web::http::header::{CONTENT_TYPE, ETAG, HeaderName, LOCATION};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use shared::{Reference, Tag};
use std::collections::BTreeSet;
use std::time::Duration;

/// The subject of the manifest that was pushed: the client need not keep a list of its referrers itself.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// A tag that was set by a parameter.
const TAG: HeaderName = HeaderName::from_static("oci-tag");

/// How long a manifest may take to arrive: it is held in memory meanwhile.
const PATIENCE: Duration = Duration::from_mins(2);

/// GET and HEAD: the server leaves out the body of the latter.
pub async fn read(Pull(permit): Pull, request: HttpRequest, registry: Data<Registry>) -> Handled {
    let (digest, manifest) = registry.manifest(&permit.repository, &reference(&request)?).await?;
    let unchanged = client_has(&request, &digest);
    let mut answer = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header((CONTENT_DIGEST, digest.as_str())).insert_header((ETAG, etag(&digest)));
    if unchanged {
        return Ok(answer.finish());
    }
    // The stored media type without parameters: clients compare the whole string.
    Ok(answer.insert_header((CONTENT_TYPE, manifest.media_type())).body(manifest.bytes.clone()))
}

pub async fn put(Push(permit): Push, request: HttpRequest, body: Payload, registry: Data<Registry>) -> Handled {
    let tags = Query::of(&request).all("tag").map(Tag::parse).collect::<Result<BTreeSet<_>, _>>()?;
    let destination = Destination { reference: reference(&request)?, tags: tags.iter().cloned().collect() };
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let bytes = tokio::time::timeout(PATIENCE, body.to_bytes_limited(MAX_MANIFEST_BYTES))
        .await
        .map_err(|_| Refusal::BodyCut)?
        .map_err(|_| Refusal::ManifestTooLarge(MAX_MANIFEST_BYTES))?
        .map_err(|_| Refusal::BodyCut)?;
    let Pushed { digest, subject } = registry.put_manifest(&permit, destination, content_type, bytes).await?;
    let mut answer = HttpResponse::Created();
    answer
        .insert_header((LOCATION, format!("/v2/{}/manifests/{digest}", permit.repository.name)))
        .insert_header((CONTENT_DIGEST, digest.as_str()));
    if let Some(subject) = subject {
        answer.insert_header((SUBJECT, subject.as_str()));
    }
    for tag in tags {
        answer.append_header((TAG, tag.as_str()));
    }
    Ok(answer.finish())
}

pub async fn delete(Delete(permit): Delete, request: HttpRequest, registry: Data<Registry>) -> Handled {
    registry.delete_manifest(&permit, reference(&request)?).await?;
    Ok(HttpResponse::Accepted().finish())
}

fn reference(request: &HttpRequest) -> Result<Reference, Refusal> {
    Ok(Reference::parse(Place::of(request).last)?)
}
