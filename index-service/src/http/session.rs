//! `/api/v1/session`: signing in and out with a browser; `/api/v1/user/sessions`: where one is signed in.

use super::address::ClientAddress;
use super::auth::{InSession, Person};
use super::clock::now;
use super::cookie;
use super::error::Failure;
use super::json::{List, PageQuery};
use super::user::UserBody;
use crate::domain::{Browser, Index};
use crate::model::Account;
use crate::model::session::{Session, SessionSecret, user_agent};
use actix_web::http::header::{CACHE_CONTROL, USER_AGENT};
use actix_web::web::{Data, Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// An account's name and password. It does not print itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    name: String,
    password: String,
}

/// A session as it is shown.
#[derive(Serialize)]
struct SessionBody {
    id: String,
    user_agent: String,
    created_at: Timestamp,
    last_used_at: Timestamp,
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
#[derive(Serialize)]
struct SignedInBody {
    user: UserBody,
    session: SessionBody,
    csrf_token: String,
}

impl SignedInBody {
    fn of(account: Account, session: Session, secret: &SessionSecret) -> Self {
        Self { user: account.into(), session: session.into(), csrf_token: secret.csrf_token() }
    }
}

/// `POST /session`
pub async fn create(
    request: HttpRequest,
    from: ClientAddress,
    index: Data<Index>,
    body: Json<SignIn>,
) -> Result<HttpResponse, Failure> {
    let session = cookie::session_to_replace(&request)?;
    let SignIn { name, password } = body.into_inner();
    let called = request.headers().get(USER_AGENT).map(|name| String::from_utf8_lossy(name.as_bytes()));
    let browser = Browser { user_agent: user_agent(&called.unwrap_or_default()), session };
    let (account, session, secret) = index.begin_session(&name, password, browser, from.0, now()).await?;
    let mut answer = HttpResponse::Created();
    answer.cookie(cookie::carrying(&index, &secret)).insert_header((CACHE_CONTROL, "no-store"));
    Ok(answer.json(SignedInBody::of(account, session, &secret)))
}

/// `GET /session`
pub async fn show(here: InSession) -> HttpResponse {
    let body = SignedInBody::of(here.account, here.session, &here.secret);
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(body)
}

/// `DELETE /session`
pub async fn delete(here: InSession, index: Data<Index>) -> Result<HttpResponse, Failure> {
    index.end_session(&here.account, &here.session.id).await?;
    Ok(HttpResponse::NoContent().cookie(cookie::removal(&index)).finish())
}

/// `GET /user/sessions`
pub async fn list(person: Person, index: Data<Index>, query: Query<PageQuery>) -> Result<HttpResponse, Failure> {
    let sessions = index.sessions(&person.0, &query.page()?, now()).await?;
    Ok(HttpResponse::Ok().json(List::<SessionBody>::of(sessions)))
}

/// `DELETE /user/sessions/{id}`
pub async fn delete_one(person: Person, index: Data<Index>, id: Path<String>) -> Result<HttpResponse, Failure> {
    index.end_session(&person.0, &id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE /user/sessions`
pub async fn delete_all(person: Person, index: Data<Index>) -> Result<HttpResponse, Failure> {
    index.end_sessions(&person.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
