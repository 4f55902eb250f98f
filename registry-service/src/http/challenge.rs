//! The challenge that sends a client to the token server: Docker token specification; RFC 6750, section 3.

use super::error::{Json, scopes_of};
use crate::domain::refusal::{Refusal, TokenFault};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use std::fmt::Write;

/// Where clients get their tokens.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// The token server's absolute URL, on the scheme, host and port that clients use.
    pub realm: String,
    /// The registry's name among those the token server knows; becomes the token's audience.
    pub service: String,
}

impl Challenge {
    /// One `Bearer` challenge. A parameter without a value is left out: docker stops reading at an empty one.
    fn header(&self, refusal: &Refusal) -> Option<HeaderValue> {
        let Refusal::Unauthorized { fault, scopes } = refusal else { return None };
        let mut header = format!("Bearer realm=\"{}\",service=\"{}\"", self.realm, self.service);
        let error = match fault {
            TokenFault::Missing => None,
            TokenFault::Invalid => Some("invalid_token"),
            TokenFault::Insufficient => Some("insufficient_scope"),
        };
        if !scopes.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(header, ",scope=\"{}\"", scopes_of(scopes));
        }
        if let Some(error) = error {
            let _ = write!(header, ",error=\"{error}\"");
        }
        HeaderValue::try_from(header).ok()
    }
}

/// Adds the challenge to an answer that says a token is missing.
pub fn add(request: &HttpRequest, response: &mut HttpResponse) {
    if response.status() != StatusCode::UNAUTHORIZED {
        return;
    }
    let challenge = request.app_data::<Data<Challenge>>();
    let refusal = response.error().and_then(|error| error.as_error::<Json<Refusal>>());
    let header = challenge.zip(refusal).and_then(|(challenge, refusal)| challenge.header(&refusal.0));
    if let Some(header) = header {
        response.headers_mut().insert(WWW_AUTHENTICATE, header);
    }
}
