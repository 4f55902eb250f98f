//! `/api/v1/repositories/{name}/-/tags` and `…/-/manifests/{digest}`: what was pushed, with its checksums.

use super::auth::AnyCaller;
use super::error::Failure;
use super::json::{List, PageQuery};
use super::query::Asked;
use crate::domain::Index;
use crate::model::content::{ManifestEntry, TagEntry};
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use jiff::Timestamp;
use serde::Serialize;
use shared::internal::{ReferenceRecord, ReferenceRole};
use shared::{Digest, RepositoryName, Tag};
use utoipa::ToSchema;

/// A tag as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = TagEntry)]
pub struct TagBody {
    name: Tag,
    digest: Digest,
    updated_by: Option<String>,
    updated_at: Timestamp,
}

impl From<TagEntry> for TagBody {
    fn from(tag: TagEntry) -> Self {
        let TagEntry { name, digest, updated_by, updated_at } = tag;
        Self { name, digest, updated_by, updated_at }
    }
}

/// A manifest as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Manifest)]
pub struct ManifestBody {
    digest: Digest,
    media_type: String,
    size_bytes: u64,
    references: Vec<ReferenceBody>,
    tags: Vec<Tag>,
    pushed_by: Option<String>,
    pushed_at: Timestamp,
}

impl From<ManifestEntry> for ManifestBody {
    fn from(manifest: ManifestEntry) -> Self {
        Self {
            digest: manifest.digest,
            media_type: manifest.media_type,
            size_bytes: manifest.size_bytes,
            references: manifest.references.into_iter().map(ReferenceBody::from).collect(),
            tags: manifest.tags,
            pushed_by: manifest.pushed_by,
            pushed_at: manifest.pushed_at,
        }
    }
}

/// Something a manifest names.
#[derive(Serialize, ToSchema)]
#[schema(as = Reference)]
pub struct ReferenceBody {
    role: ReferenceRole,
    digest: Digest,
    size_bytes: u64,
    media_type: String,
    platform: Option<String>,
}

impl From<ReferenceRecord> for ReferenceBody {
    fn from(reference: ReferenceRecord) -> Self {
        let ReferenceRecord { role, digest, size, media_type, platform } = reference;
        Self { role, digest, size_bytes: size, media_type, platform }
    }
}

/// A page of a repository's tags.
#[utoipa::path(
    get, path = "/repositories/{name}/-/tags", params(PageQuery),
    responses((status = 200, body = List<TagBody>)), security(())
)]
pub async fn tags(
    caller: AnyCaller,
    index: Data<Index>,
    name: Path<RepositoryName>,
    query: Asked<PageQuery>,
) -> Result<List<TagBody>, Failure> {
    Ok(List::of(index.tags(&caller.0, &name, &query.0.page()).await?))
}

/// A manifest, with everything that it names.
#[utoipa::path(
    get, path = "/repositories/{name}/-/manifests/{digest}",
    responses((status = 200, body = ManifestBody)), security(())
)]
pub async fn manifest(
    caller: AnyCaller,
    index: Data<Index>,
    path: Path<(RepositoryName, Digest)>,
) -> Result<HttpResponse, Failure> {
    let (name, digest) = path.into_inner();
    let manifest = index.manifest(&caller.0, &name, &digest).await?;
    Ok(HttpResponse::Ok().json(ManifestBody::from(manifest)))
}
