//! `/internal/v1/`: what registries ask and tell, with the internal secret. Never reachable from outside.

use super::auth::Registry;
use super::clock::now;
use super::error::Failure;
use super::json::limits_with_body;
use crate::domain::Index;
use actix_web::web::{Data, Json, Query, ServiceConfig};
use shared::internal::{
    AllocateAnswer, AllocateRequest, CatalogAnswer, CatalogRequest, CommitAnswer, CommitRequest, IntrospectAnswer,
    IntrospectRequest, JudgeRequest, TurnAnswer, TurnRequest, Verdict,
};
use shared::revocations::{FeedAnswer, Position};

/// Bytes of a request at most: a commit names everything that a manifest of 4 MiB does.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Bodies that cannot be read become failures of ours.
pub fn limits(cfg: &mut ServiceConfig) {
    limits_with_body(cfg, MAX_BODY);
}

/// `POST /introspect`
pub async fn introspect(
    _: Registry,
    index: Data<Index>,
    body: Json<IntrospectRequest>,
) -> Result<Json<IntrospectAnswer>, Failure> {
    Ok(Json(index.introspect(&body, now()).await?))
}

/// `POST /allocate`
pub async fn allocate(
    _: Registry,
    index: Data<Index>,
    body: Json<AllocateRequest>,
) -> Result<Json<AllocateAnswer>, Failure> {
    Ok(Json(index.allocate(&body, now()).await?))
}

/// `POST /judge`
pub async fn judge(_: Registry, index: Data<Index>, body: Json<JudgeRequest>) -> Result<Json<Verdict>, Failure> {
    Ok(Json(index.judge(&body).await?))
}

/// `POST /turn`
pub async fn turn(_: Registry, index: Data<Index>, _: Json<TurnRequest>) -> Result<Json<TurnAnswer>, Failure> {
    Ok(Json(index.turn().await?))
}

/// `POST /commit`
pub async fn commit(_: Registry, index: Data<Index>, body: Json<CommitRequest>) -> Result<Json<CommitAnswer>, Failure> {
    Ok(Json(index.commit(&body, now()).await?))
}

/// `POST /catalog`
pub async fn catalog(
    _: Registry,
    index: Data<Index>,
    body: Json<CatalogRequest>,
) -> Result<Json<CatalogAnswer>, Failure> {
    Ok(Json(index.catalog(&body).await?))
}

/// `GET /revocations`
pub async fn revocations(_: Registry, index: Data<Index>, after: Query<Position>) -> Result<Json<FeedAnswer>, Failure> {
    Ok(Json(index.revocations(&after).await?))
}
