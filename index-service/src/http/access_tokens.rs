//! `/api/v1/user/tokens`: one's access tokens, run with the password alone: no token makes or ends another.

use super::auth::Person;
use super::clock::now;
use super::error::Failure;
use super::json::{List, PageQuery};
use crate::domain::{Index, NewAccessToken, Rotation};
use crate::model::access_token::{AccessToken, LastUse, Limits, Secret};
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Data, Json, Path, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A token as it is shown; its secret only when it is new.
#[derive(Serialize)]
pub struct AccessTokenBody {
    id: String,
    name: String,
    limits: Limits,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    last_used_from: Option<IpAddr>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl From<AccessToken> for AccessTokenBody {
    fn from(token: AccessToken) -> Self {
        let AccessToken { id, name, limits, expires_at, last_used, created_at } = token;
        let LastUse { at: last_used_at, from: last_used_from } = last_used;
        Self { id, name, limits, expires_at, last_used_at, last_used_from, created_at, secret: None }
    }
}

impl From<(AccessToken, Secret)> for AccessTokenBody {
    fn from((token, secret): (AccessToken, Secret)) -> Self {
        Self { secret: Some(secret.into_text()), ..token.into() }
    }
}

/// A token to be made; without limits it opens all that its owner may.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTokenBody {
    name: String,
    limits: Option<Limits>,
    expires_at: Option<Timestamp>,
}

/// How a secret is replaced.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationBody {
    #[serde(default)]
    overlap_seconds: u32,
    expires_at: Option<Timestamp>,
}

impl From<RotationBody> for Rotation {
    fn from(body: RotationBody) -> Self {
        Self { overlap: body.overlap_seconds, expires_at: body.expires_at }
    }
}

/// `GET /user/tokens`
pub async fn list(
    person: Person,
    index: Data<Index>,
    query: Query<PageQuery>,
) -> Result<List<AccessTokenBody>, Failure> {
    Ok(List::of(index.access_tokens(&person.0, &query.page()?).await?))
}

/// `POST /user/tokens`
pub async fn create(person: Person, index: Data<Index>, body: Json<NewTokenBody>) -> Result<HttpResponse, Failure> {
    let NewTokenBody { name, limits, expires_at } = body.into_inner();
    if limits.as_ref().is_some_and(|limits| limits.0.is_empty()) {
        return Err(Failure::Malformed("limits is empty: say where it opens anything, or leave it out".to_owned()));
    }
    let limits = limits.unwrap_or_default();
    let made = index.create_access_token(&person.0, NewAccessToken { name, limits, expires_at }, now()).await?;
    let location = format!("/api/v1/user/tokens/{}", made.0.id);
    let mut answer = HttpResponse::Created();
    answer.insert_header((LOCATION, location)).insert_header((CACHE_CONTROL, "no-store"));
    Ok(answer.json(AccessTokenBody::from(made)))
}

/// `GET /user/tokens/{id}`
pub async fn show(person: Person, index: Data<Index>, id: Path<String>) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::Ok().json(AccessTokenBody::from(index.access_token(&person.0, &id).await?)))
}

/// `POST /user/tokens/{id}/rotate`
pub async fn rotate(
    person: Person,
    index: Data<Index>,
    id: Path<String>,
    body: Json<RotationBody>,
) -> Result<HttpResponse, Failure> {
    let rotated = index.rotate_access_token(&person.0, &id, &body.into_inner().into(), now()).await?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(AccessTokenBody::from(rotated)))
}

/// `DELETE /user/tokens/{id}`
pub async fn delete(person: Person, index: Data<Index>, id: Path<String>) -> Result<HttpResponse, Failure> {
    index.delete_access_token(&person.0, &id).await?;
    Ok(HttpResponse::NoContent().finish())
}
