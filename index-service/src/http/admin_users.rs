//! `/api/v1/admin/users`: accounts, for administrators of the instance; auditors look.

use super::auth::{AdminPerson, InstanceReader};
use super::clock::now;
use super::contract::Body;
use super::error::Failure;
use super::json::{List, one_of, page, sorted};
use super::query::Asked;
use super::user::UserBody;
use crate::domain::Index;
use crate::model::account::{AccountChange, AccountFilter, AccountSort};
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use shared::NamespaceName;
use utoipa::ToSchema;

/// An account to be made.
// It does not print itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    #[schema(value_type = NamespaceName)]
    name: String,
    #[schema(format = Password, example = "correct horse battery")]
    password: String,
    #[serde(default)]
    is_admin: bool,
}

/// What is to be changed; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PatchUser)]
pub struct UserChange {
    is_admin: Option<bool>,
    is_auditor: Option<bool>,
    disabled: Option<bool>,
}

/// The random password, if none was sent.
#[derive(Serialize, ToSchema)]
#[schema(as = NewPassword)]
pub struct NewPasswordBody {
    password: Option<String>,
}

/// The password to be; without one it is a random one.
// It does not print itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordReset {
    password: Option<String>,
}

/// Which accounts are listed.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsersQuery {
    /// What stands in its name, whatever the case.
    q: Option<String>,
    /// Only those who may do nothing at all, or only the others.
    #[serde(default)]
    disabled: Vec<bool>,
    /// In which order: keys with commas between, the first one first; `-` begins at its end. By name, if it is not said.
    #[serde(default)]
    #[param(explode = false)]
    sort: Vec<AccountSort>,
    /// Entries on the page: 50 if it is not said, 200 at most.
    limit: Option<u32>,
    /// Which page, from the one before; the first, if it is not said.
    cursor: Option<String>,
    /// Whether the length of the whole list is wanted.
    count: Option<bool>,
}

/// A page of the accounts, for administrators.
#[utoipa::path(get, path = "/admin/users", params(UsersQuery), responses((status = 200, body = List<UserBody>)))]
pub async fn list(_: InstanceReader, index: Data<Index>, query: Asked<UsersQuery>) -> Result<List<UserBody>, Failure> {
    let UsersQuery { q, disabled, sort, limit, cursor, count } = query.0;
    let page = sorted(page(limit, cursor, count), sort.into_iter().map(AccountSort::as_str))?;
    let filter = AccountFilter { disabled: one_of(&disabled), text: q };
    Ok(List::of(index.accounts(&filter, &page).await?))
}

/// Makes an account and its namespace.
#[utoipa::path(post, path = "/admin/users", request_body = NewUser, responses((status = 201, body = UserBody)))]
pub async fn create(_: AdminPerson, index: Data<Index>, body: Body<NewUser>) -> Result<HttpResponse, Failure> {
    let NewUser { name, password, is_admin } = body.0;
    let account = index.create_account(&name, password, is_admin, now()).await?;
    let location = format!("/api/v1/admin/users/{}", account.name);
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(UserBody::from(account)))
}

/// An account.
#[utoipa::path(get, path = "/admin/users/{user}", responses((status = 200, body = UserBody)))]
pub async fn show(_: InstanceReader, index: Data<Index>, user: Path<String>) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::Ok().json(UserBody::from(index.account(&user).await?)))
}

/// Changes an account.
#[utoipa::path(
    patch, path = "/admin/users/{user}", request_body = UserChange, responses((status = 200, body = UserBody))
)]
pub async fn change(
    _: AdminPerson,
    index: Data<Index>,
    user: Path<String>,
    body: Body<UserChange>,
) -> Result<HttpResponse, Failure> {
    let UserChange { is_admin, is_auditor, disabled } = body.0;
    let change = AccountChange { is_admin, is_auditor, disabled };
    let account = index.change_account(&user, change, now()).await?;
    Ok(HttpResponse::Ok().json(UserBody::from(account)))
}

/// Gives an account another password: the one sent, or a random one that is in this answer alone.
#[utoipa::path(
    post, path = "/admin/users/{user}/reset-password", request_body = PasswordReset,
    responses((status = 200, body = NewPasswordBody))
)]
pub async fn reset_password(
    _: AdminPerson,
    index: Data<Index>,
    user: Path<String>,
    body: Body<PasswordReset>,
) -> Result<HttpResponse, Failure> {
    let random = index.reset_password(&user, body.0.password).await?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(NewPasswordBody { password: random }))
}
