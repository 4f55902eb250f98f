//! `/api/v1/session`: signing in and out with a browser; `/api/v1/user/sessions`: where one is signed in.

use super::address::ClientAddress;
use super::auth::{InSession, Person};
use super::clock::now;
use super::contract::Body;
use super::cookie;
use super::error::Failure;
use super::json::{List, PageQuery};
use super::query::Asked;
use super::user::UserBody;
use crate::domain::{Browser, Index};
use crate::model::Account;
use crate::model::session::{Session, SessionSecret, user_agent};
use actix_web::http::header::{CACHE_CONTROL, USER_AGENT};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;

/// An account's name and password.
// It does not print itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    name: String,
    #[schema(format = Password, example = "correct horse battery")]
    password: String,
}

/// A session as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionBody {
    id: String,
    user_agent: String,
    created_at: Timestamp,
    last_used_at: Timestamp,
    #[schema(value_type = Option<String>, example = "192.0.2.7")]
    last_used_from: Option<IpAddr>,
    ends_at: Timestamp,
}

impl From<Session> for SessionBody {
    fn from(session: Session) -> Self {
        let ends_at = session.ends_at();
        let Session { id, user_agent, created_at, last_used_at, last_used_from } = session;
        Self { id, user_agent, created_at, last_used_at, last_used_from, ends_at }
    }
}

/// Who is signed in, and what requests that change something must show.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedIn)]
pub struct SignedInBody {
    user: UserBody,
    session: SessionBody,
    csrf_token: String,
}

impl SignedInBody {
    fn of(account: Account, session: Session, secret: &SessionSecret) -> Self {
        Self { user: account.into(), session: session.into(), csrf_token: secret.csrf_token() }
    }
}

/// Signs in with a browser, which gets a cookie.
#[utoipa::path(
    post, path = "/session", request_body = SignIn, responses((status = 201, body = SignedInBody)), security(())
)]
pub async fn create(
    request: HttpRequest,
    from: ClientAddress,
    index: Data<Index>,
    body: Body<SignIn>,
) -> Result<HttpResponse, Failure> {
    let session = cookie::session_to_replace(&request)?;
    let SignIn { name, password } = body.0;
    let called = request.headers().get(USER_AGENT).map(|name| String::from_utf8_lossy(name.as_bytes()));
    let browser = Browser { user_agent: user_agent(&called.unwrap_or_default()), session };
    let (account, session, secret) = index.begin_session(&name, password, browser, from.0, now()).await?;
    let mut answer = HttpResponse::Created();
    answer.cookie(cookie::carrying(&index, &secret)).insert_header((CACHE_CONTROL, "no-store"));
    Ok(answer.json(SignedInBody::of(account, session, &secret)))
}

/// Who is signed in here with a browser, and the token that changes need.
#[utoipa::path(get, path = "/session", responses((status = 200, body = SignedInBody)))]
pub async fn show(here: InSession) -> HttpResponse {
    let body = SignedInBody::of(here.account, here.session, &here.secret);
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(body)
}

/// Signs out here.
#[utoipa::path(delete, path = "/session", responses((status = 204)))]
pub async fn delete(here: InSession, index: Data<Index>) -> Result<HttpResponse, Failure> {
    index.end_session(&here.account, &here.session.id).await?;
    Ok(HttpResponse::NoContent().cookie(cookie::removal(&index)).finish())
}

/// A page of where one is signed in.
#[utoipa::path(get, path = "/user/sessions", params(PageQuery), responses((status = 200, body = List<SessionBody>)))]
pub async fn list(person: Person, index: Data<Index>, query: Asked<PageQuery>) -> Result<List<SessionBody>, Failure> {
    Ok(List::of(index.sessions(&person.0, &query.0.page(), now()).await?))
}

/// Signs out in one place.
#[utoipa::path(delete, path = "/user/sessions/{id}", responses((status = 204)))]
pub async fn delete_one(person: Person, index: Data<Index>, id: Path<String>) -> Result<HttpResponse, Failure> {
    index.end_session(&person.0, &id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Signs out everywhere.
#[utoipa::path(delete, path = "/user/sessions", responses((status = 204)))]
pub async fn delete_all(person: Person, index: Data<Index>) -> Result<HttpResponse, Failure> {
    index.end_sessions(&person.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
