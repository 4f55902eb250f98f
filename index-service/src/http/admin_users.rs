//! `/api/v1/admin/users`: accounts, for administrators of the instance; auditors look.

use super::auth::{AdminPerson, InstanceReader};
use super::clock::now;
use super::error::Failure;
use super::json::{List, page, sorted};
use super::user::UserBody;
use crate::domain::Index;
use crate::model::account::{AccountChange, AccountFilter, AccountSort};
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Data, Json, Path, Query};
use serde::Deserialize;
use serde_json::json;

/// An account to be made. It does not print itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    name: String,
    password: String,
    #[serde(default)]
    is_admin: bool,
}

/// What is to be changed; what is absent stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    is_admin: Option<bool>,
    is_auditor: Option<bool>,
    disabled: Option<bool>,
}

/// The password to be; without one it is a random one. It does not print itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordReset {
    password: Option<String>,
}

/// Which accounts are listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsersQuery {
    q: Option<String>,
    disabled: Option<bool>,
    sort: Option<AccountSort>,
    limit: Option<u32>,
    cursor: Option<String>,
    count: Option<bool>,
}

/// `GET /admin/users`
pub async fn list(_: InstanceReader, index: Data<Index>, query: Query<UsersQuery>) -> Result<List<UserBody>, Failure> {
    let UsersQuery { q, disabled, sort, limit, cursor, count } = query.into_inner();
    let sort = sort.unwrap_or(AccountSort::Name);
    let page = sorted(page(limit, cursor.as_deref(), count)?, sort.as_str())?;
    Ok(List::of(index.accounts(&AccountFilter { disabled, text: q }, sort, &page).await?))
}

/// `POST /admin/users`
pub async fn create(_: AdminPerson, index: Data<Index>, body: Json<NewUser>) -> Result<HttpResponse, Failure> {
    let NewUser { name, password, is_admin } = body.into_inner();
    let account = index.create_account(&name, password, is_admin, now()).await?;
    let location = format!("/api/v1/admin/users/{}", account.name);
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(UserBody::from(account)))
}

/// `GET /admin/users/{user}`
pub async fn show(_: InstanceReader, index: Data<Index>, user: Path<String>) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::Ok().json(UserBody::from(index.account(&user).await?)))
}

/// `PATCH /admin/users/{user}`
pub async fn change(
    _: AdminPerson,
    index: Data<Index>,
    user: Path<String>,
    body: Json<UserChange>,
) -> Result<HttpResponse, Failure> {
    let change = AccountChange { is_admin: body.is_admin, is_auditor: body.is_auditor, disabled: body.disabled };
    let account = index.change_account(&user, change, now()).await?;
    Ok(HttpResponse::Ok().json(UserBody::from(account)))
}

/// `POST /admin/users/{user}/reset-password`
pub async fn reset_password(
    _: AdminPerson,
    index: Data<Index>,
    user: Path<String>,
    body: Json<PasswordReset>,
) -> Result<HttpResponse, Failure> {
    let random = index.reset_password(&user, body.into_inner().password).await?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(json!({ "password": random })))
}
