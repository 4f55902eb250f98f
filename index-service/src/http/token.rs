//! `/token`: where docker gets its registry token, by GET with Basic credentials or by an OAuth2 POST.

use super::address::ClientAddress;
use super::auth::credentials;
use super::bodies::whole;
use super::clock::now;
use super::error::Failure;
use crate::domain::{Credentials, Index, IssuedToken, TokenRequest};
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

/// Bytes of a form at most: the scopes of the largest token, encoded.
const MAX_FORM: usize = 32 * 1024;

/// Parameters that this endpoint reads; it ignores every other one, `offline_token` and `account` among them.
#[derive(Default)]
struct Form {
    grant_type: Option<String>,
    username: String,
    password: String,
    request: TokenRequest,
}

/// `GET /token`
pub async fn get(from: ClientAddress, index: Data<Index>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let form = Form::parse(request.query_string().as_bytes())?;
    let credentials = credentials(request.headers())?;
    Ok(render(&index.issue_token(credentials, from.0, &form.request, now()).await?))
}

/// `POST /token`
pub async fn post(from: ClientAddress, index: Data<Index>, body: Payload) -> Result<HttpResponse, Failure> {
    let form = Form::parse(&whole(body, MAX_FORM).await?)?;
    if form.grant_type.as_deref() != Some("password") {
        return Err(Failure::UnsupportedGrantType);
    }
    let credentials = Credentials::Password { user: form.username, password: form.password };
    Ok(render(&index.issue_token(credentials, from.0, &form.request, now()).await?))
}

impl Form {
    /// Parses by hand, because parameters may be repeated.
    fn parse(text: &[u8]) -> Result<Self, Failure> {
        let parameters: Vec<(String, String)> =
            serde_urlencoded::from_bytes(text).map_err(|error| Failure::Malformed(error.to_string()))?;
        let mut form = Self::default();
        for (name, value) in parameters {
            match name.as_str() {
                "service" => form.request.services.push(value),
                "scope" => form.request.scopes.push(value),
                "grant_type" => form.grant_type = Some(value),
                "username" => form.username = value,
                "password" => form.password = value,
                _ => {}
            }
        }
        Ok(form)
    }
}

fn render(issued: &IssuedToken) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(json!({
        "token": issued.token,
        "access_token": issued.token,
        "expires_in": issued.expires_in,
        "issued_at": issued.issued_at,
        "scope": issued.scope,
    }))
}
