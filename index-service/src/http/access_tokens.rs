//! `/api/v1/user/tokens`: one's access tokens, run with the password alone: no token makes or ends another.

use super::auth::Person;
use super::clock::now;
use super::contract::Body;
use super::error::Failure;
use super::json::{List, PageQuery};
use super::query::Asked;
use crate::domain::{Index, NewAccessToken, Rotation};
use crate::model::access_token::{AccessToken, LastUse, LimitParts, Limits, Secret};
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Data, Path};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::Networks;
use std::net::IpAddr;
use utoipa::ToSchema;

/// A token as it is shown; its secret only when it is new.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessToken)]
pub struct AccessTokenBody {
    id: String,
    name: String,
    #[schema(value_type = Vec<LimitParts>)]
    limits: Limits,
    /// Ranges of addresses from which it opens anything; none for everywhere.
    #[schema(value_type = Vec<String>, max_items = 100, example = json!(["10.0.0.0/8"]))]
    allowed_networks: Networks,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, example = "192.0.2.7")]
    last_used_from: Option<IpAddr>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl From<AccessToken> for AccessTokenBody {
    fn from(token: AccessToken) -> Self {
        let AccessToken { id, name, limits, allowed_networks, expires_at, last_used, created_at } = token;
        let LastUse { at: last_used_at, from: last_used_from } = last_used;
        let secret = None;
        Self { id, name, limits, allowed_networks, expires_at, last_used_at, last_used_from, created_at, secret }
    }
}

impl From<(AccessToken, Secret)> for AccessTokenBody {
    fn from((token, secret): (AccessToken, Secret)) -> Self {
        Self { secret: Some(secret.into_text()), ..token.into() }
    }
}

/// A token to be made; without limits it opens all that its owner may.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAccessToken)]
pub struct NewTokenBody {
    /// One line, of at most 100 characters.
    #[schema(min_length = 1, max_length = 100, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$", example = "laptop")]
    name: String,
    /// Where it opens anything, and how much; left out, all that its owner may.
    #[schema(value_type = Option<Vec<LimitParts>>, min_items = 1, max_items = 50)]
    limits: Option<Limits>,
    #[serde(default)]
    /// Ranges of addresses from which it opens anything; none for everywhere.
    #[schema(value_type = Vec<String>, max_items = 100, example = json!(["10.0.0.0/8"]))]
    allowed_networks: Networks,
    expires_at: Option<Timestamp>,
}

/// What is to be changed about a token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccessTokenChange)]
pub struct PatchToken {
    /// Ranges of addresses from which it opens anything; none for everywhere.
    #[schema(value_type = Vec<String>, max_items = 100, example = json!(["10.0.0.0/8"]))]
    allowed_networks: Networks,
}

/// How a secret is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Rotation)]
pub struct RotationBody {
    #[serde(default)]
    /// For so long the secret before goes on: thirty days at most.
    #[schema(maximum = 2_592_000, example = 3600)]
    overlap_seconds: u32,
    expires_at: Option<Timestamp>,
}

impl From<RotationBody> for Rotation {
    fn from(body: RotationBody) -> Self {
        Self { overlap: body.overlap_seconds, expires_at: body.expires_at }
    }
}

/// A page of one's access tokens.
#[utoipa::path(get, path = "/user/tokens", params(PageQuery), responses((status = 200, body = List<AccessTokenBody>)))]
pub async fn list(
    person: Person,
    index: Data<Index>,
    query: Asked<PageQuery>,
) -> Result<List<AccessTokenBody>, Failure> {
    Ok(List::of(index.access_tokens(&person.0, &query.0.page()).await?))
}

/// Makes an access token. Its secret is in this answer alone.
#[utoipa::path(
    post, path = "/user/tokens", request_body = NewTokenBody, responses((status = 201, body = AccessTokenBody))
)]
pub async fn create(person: Person, index: Data<Index>, body: Body<NewTokenBody>) -> Result<HttpResponse, Failure> {
    let NewTokenBody { name, limits, allowed_networks, expires_at } = body.0;
    let new = NewAccessToken { name, limits: limits.unwrap_or_default(), allowed_networks, expires_at };
    let made = index.create_access_token(&person.0, new, now()).await?;
    let location = format!("/api/v1/user/tokens/{}", made.0.id);
    let mut answer = HttpResponse::Created();
    answer.insert_header((LOCATION, location)).insert_header((CACHE_CONTROL, "no-store"));
    Ok(answer.json(AccessTokenBody::from(made)))
}

/// One of one's access tokens.
#[utoipa::path(get, path = "/user/tokens/{id}", responses((status = 200, body = AccessTokenBody)))]
pub async fn show(person: Person, index: Data<Index>, id: Path<String>) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::Ok().json(AccessTokenBody::from(index.access_token(&person.0, &id).await?)))
}

/// Says from where an access token opens anything.
#[utoipa::path(
    patch, path = "/user/tokens/{id}", request_body = PatchToken, responses((status = 200, body = AccessTokenBody))
)]
pub async fn change(
    person: Person,
    index: Data<Index>,
    id: Path<String>,
    body: Body<PatchToken>,
) -> Result<HttpResponse, Failure> {
    let token = index.change_access_token(&person.0, &id, &body.0.allowed_networks).await?;
    Ok(HttpResponse::Ok().json(AccessTokenBody::from(token)))
}

/// Gives an access token another secret, which is in this answer alone.
#[utoipa::path(
    post, path = "/user/tokens/{id}/rotate", request_body = RotationBody,
    responses((status = 200, body = AccessTokenBody))
)]
pub async fn rotate(
    person: Person,
    index: Data<Index>,
    id: Path<String>,
    body: Body<RotationBody>,
) -> Result<HttpResponse, Failure> {
    let rotated = index.rotate_access_token(&person.0, &id, &body.0.into(), now()).await?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(AccessTokenBody::from(rotated)))
}

/// Ends an access token.
#[utoipa::path(delete, path = "/user/tokens/{id}", responses((status = 204)))]
pub async fn delete(person: Person, index: Data<Index>, id: Path<String>) -> Result<HttpResponse, Failure> {
    index.delete_access_token(&person.0, &id).await?;
    Ok(HttpResponse::NoContent().finish())
}
