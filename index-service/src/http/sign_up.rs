//! `/api/v1/users`: signing up.

use super::address::ClientAddress;
use super::clock::now;
use super::contract::Body;
use super::error::Failure;
use super::user::UserBody;
use crate::domain::Index;
use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use serde::Deserialize;
use shared::NamespaceName;
use utoipa::ToSchema;

/// An account that somebody makes for oneself, perhaps with the secret of an invitation.
// It does not print itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOwnUser {
    #[schema(value_type = NamespaceName)]
    name: String,
    #[schema(format = Password, example = "correct horse battery")]
    password: String,
    invitation: Option<String>,
}

/// Makes an account for oneself, where that is open or with an invitation.
#[utoipa::path(
    post, path = "/users", request_body = NewOwnUser, responses((status = 201, body = UserBody)), security(())
)]
pub async fn create(from: ClientAddress, index: Data<Index>, body: Body<NewOwnUser>) -> Result<HttpResponse, Failure> {
    let NewOwnUser { name, password, invitation } = body.0;
    let account = index.sign_up(&name, password, invitation.as_deref(), from.0, now()).await?;
    Ok(HttpResponse::Created().insert_header((LOCATION, "/api/v1/user")).json(UserBody::from(account)))
}
