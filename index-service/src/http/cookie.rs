//! The cookie that carries a session, and what a request shows before it counts.
//!
//! A browser sends cookies along with whatever another site makes it ask for. So a request that changes something must come
//! from a page of ours, by what the browser says, and show the session's own token, which no other site can read.

use super::auth::index;
use super::error::Failure;
use crate::domain::{Index, Refusal};
use crate::model::session::{LIFETIME, SessionSecret};
use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue, ORIGIN};
use subtle::ConstantTimeEq;

/// What the browser says about where a request comes from; no page can set it.
const FETCH_SITE: &str = "sec-fetch-site";

/// Where the session's token against forged requests is shown.
const CSRF_TOKEN: &str = "x-csrf-token";

/// Where cookies count. Not at `/v2/`, `/token` or `/v1/`: what pages need is here.
const API: &str = "/api/";

/// The session that a request's cookie opens: only where the request has no other credentials, which alone count then.
pub fn session(request: &HttpRequest) -> Result<Option<SessionSecret>, Failure> {
    if request.headers().contains_key(AUTHORIZATION) || !request.path().starts_with(API) {
        return Ok(None);
    }
    let index = index(request)?;
    let Some(secret) = sent(request, &index).transpose()? else { return Ok(None) };
    if !request.method().is_safe() {
        check_origin(request.headers(), &index)?;
        let token = request.headers().get(CSRF_TOKEN).map(HeaderValue::as_bytes);
        if !token.is_some_and(|token| bool::from(token.ct_eq(secret.csrf_token().as_bytes()))) {
            return Err(Failure::NoCsrfToken);
        }
    }
    Ok(Some(secret))
}

/// The session that the browser has now, where it is about to get another. Only a page of ours may ask for that, and nobody
/// who has other credentials.
pub fn session_to_replace(request: &HttpRequest) -> Result<Option<SessionSecret>, Failure> {
    let index = index(request)?;
    check_origin(request.headers(), &index)?;
    if request.headers().contains_key(AUTHORIZATION) {
        return Err(Failure::Malformed("sign in by the body alone, without an Authorization header".to_owned()));
    }
    Ok(sent(request, &index).and_then(Result::ok))
}

/// The cookie that gives a browser this session.
pub fn carrying(index: &Index, secret: &SessionSecret) -> Cookie<'static> {
    cookie(index, secret.as_text().to_owned(), Duration::seconds(LIFETIME.as_secs()))
}

/// The cookie that takes a session from a browser.
pub fn removal(index: &Index) -> Cookie<'static> {
    cookie(index, String::new(), Duration::ZERO)
}

/// The cookie that takes away the one that came with a request and opened nothing.
pub fn stale(request: &HttpRequest) -> Option<Cookie<'static>> {
    let index = index(request).ok()?;
    let is_sent = !request.headers().contains_key(AUTHORIZATION) && sent(request, &index).is_some();
    is_sent.then(|| removal(&index))
}

fn cookie(index: &Index, value: String, age: Duration) -> Cookie<'static> {
    let cookie = Cookie::build(name(index), value).path("/").http_only(true).same_site(SameSite::Lax).max_age(age);
    cookie.secure(is_secure(index)).finish()
}

/// What a browser sent as its session; what cannot be one is refused as one that is over.
fn sent(request: &HttpRequest, index: &Index) -> Option<Result<SessionSecret, Failure>> {
    let cookie = request.cookie(name(index))?;
    Some(SessionSecret::parse(cookie.value()).ok_or(Failure::Refused(Refusal::SessionOver)))
}

/// With the prefix, browsers take the cookie from this very host over https only.
fn name(index: &Index) -> &'static str {
    if is_secure(index) { "__Host-berth_session" } else { "berth_session" }
}

fn is_secure(index: &Index) -> bool {
    index.identity().public_url.starts_with("https://")
}

/// Holds that a page of ours asks: by both headers if both are there, and never by neither.
fn check_origin(headers: &HeaderMap, index: &Index) -> Result<(), Failure> {
    let said = |header: &str, ours: &str| headers.get(header).map(|said| said.as_bytes() == ours.as_bytes());
    let identity = index.identity();
    match (said(FETCH_SITE, "same-origin"), said(ORIGIN.as_str(), &identity.origin)) {
        (Some(true), None | Some(true)) | (None, Some(true)) => Ok(()),
        _ => Err(Failure::OtherOrigin(identity.origin.clone())),
    }
}
