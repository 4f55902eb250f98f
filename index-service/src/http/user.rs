//! `/api/v1/user`: one's own account.

use super::address::ClientAddress;
use super::auth::{Caller, Person};
use super::clock::now;
use super::contract::Body;
use super::cookie;
use super::error::Failure;
use crate::domain::{Index, PasswordChange};
use crate::model::Account;
use actix_web::HttpResponse;
use actix_web::web::Data;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::NamespaceName;
use utoipa::ToSchema;

/// An account as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserBody {
    name: NamespaceName,
    is_admin: bool,
    is_auditor: bool,
    disabled: bool,
    created_at: Timestamp,
}

impl From<Account> for UserBody {
    fn from(account: Account) -> Self {
        Self {
            name: account.name,
            is_admin: account.is_admin,
            is_auditor: account.is_auditor,
            disabled: account.disabled_at.is_some(),
            created_at: account.created_at,
        }
    }
}

/// A change of password.
// It does not print itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChangeBody {
    #[schema(format = Password, example = "correct horse battery")]
    old_password: String,
    #[schema(format = Password, example = "correct horse battery")]
    new_password: String,
}

/// One's own account.
#[utoipa::path(get, path = "/user", responses((status = 200, body = UserBody)))]
pub async fn show(caller: Caller) -> HttpResponse {
    HttpResponse::Ok().json(UserBody::from(caller.0))
}

/// Changes one's password. In a session, that goes on with another cookie and so with another CSRF token.
#[utoipa::path(put, path = "/user/password", request_body = PasswordChangeBody, responses((status = 204)))]
pub async fn change_password(
    person: Person,
    from: ClientAddress,
    index: Data<Index>,
    body: Body<PasswordChangeBody>,
) -> Result<HttpResponse, Failure> {
    let PasswordChangeBody { old_password: old, new_password: new } = body.0;
    let change = PasswordChange { old, new };
    let going_on = index.change_password(&person.0, person.1.as_ref(), change, from.0, now()).await?;
    let mut answer = HttpResponse::NoContent();
    if let Some(secret) = going_on {
        answer.cookie(cookie::carrying(&index, &secret));
    }
    Ok(answer.finish())
}
