//! `/api/v1/users`: signing up.

use super::clock::now;
use super::error::Failure;
use super::user::UserBody;
use crate::domain::Index;
use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json};
use serde::Deserialize;

/// An account that somebody makes for oneself, perhaps with the secret of an invitation. It does not print itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOwnUser {
    name: String,
    password: String,
    invitation: Option<String>,
}

/// `POST /users`
pub async fn create(index: Data<Index>, body: Json<NewOwnUser>) -> Result<HttpResponse, Failure> {
    let NewOwnUser { name, password, invitation } = body.into_inner();
    let account = index.sign_up(&name, password, invitation.as_deref(), now()).await?;
    Ok(HttpResponse::Created().insert_header((LOCATION, "/api/v1/user")).json(UserBody::from(account)))
}
