//! What a client is told about the registry from outside: the challenge that says which credentials are needed (Docker
//! token specification; RFC 6750, section 3; RFC 7617, section 2), and the address in a `Location`.

use super::error::{Json, scopes_of};
use crate::domain::refusal::{CredentialFault, Refusal};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, LOCATION, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use server::client_address;
use shared::{Networks, Scope};
use std::fmt::Write;
use std::net::IpAddr;

/// The registry as clients see it from outside.
#[derive(Debug, Clone)]
pub struct Front {
    /// What a client without credentials is answered; `None` where it needs none.
    pub challenge: Option<Challenge>,
    /// Scheme and authority that a `Location` begins with, as `https://registry.example`; `None` for a relative one, which
    /// survives every proxy.
    pub host: Option<String>,
    /// From where it is served.
    pub allowed: Networks,
    /// Proxies whose word about a client's address counts.
    pub trusted_proxies: Networks,
    /// Where the nginx in front finds the folder `blobs/`, as `/berth-blobs/`: it sends large blobs itself then, named to it
    /// in `X-Accel-Redirect`. `None`: there is no such nginx.
    pub accel: Option<String>,
}

/// Where credentials come from. Its values can stand in quotes.
#[derive(Debug, Clone)]
pub enum Challenge {
    /// From a token server.
    Bearer {
        /// The token server's absolute URL, on the scheme, host and port that clients use.
        realm: String,
        /// The registry's name among those the token server knows; becomes the token's audience.
        service: String,
    },
    /// A name and a password.
    Basic {
        /// What a client shows to the person whom it asks for them.
        realm: String,
    },
}

impl Challenge {
    /// The one challenge of an answer.
    fn header(&self, fault: &CredentialFault, scopes: &[Scope]) -> Option<HeaderValue> {
        let header = match self {
            Self::Bearer { realm, service } => bearer(realm, service, fault, scopes),
            Self::Basic { realm } => format!("Basic realm=\"{realm}\""),
        };
        HeaderValue::try_from(header).ok()
    }
}

/// A parameter without a value is left out: docker stops reading at an empty one.
fn bearer(realm: &str, service: &str, fault: &CredentialFault, scopes: &[Scope]) -> String {
    let mut header = format!("Bearer realm=\"{realm}\",service=\"{service}\"");
    let error = match fault {
        CredentialFault::Missing => None,
        CredentialFault::Invalid => Some("invalid_token"),
        CredentialFault::Insufficient { .. } => Some("insufficient_scope"),
    };
    if !scopes.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(header, ",scope=\"{}\"", scopes_of(scopes));
    }
    if let Some(error) = error {
        let _ = write!(header, ",error=\"{error}\"");
    }
    header
}

/// The client's address; `None` if it is not known.
pub fn client(request: &HttpRequest) -> Option<IpAddr> {
    client_address(request, &request.app_data::<Data<Front>>()?.trusted_proxies)
}

/// Whether the client's address is one that is served.
pub fn is_served(request: &HttpRequest) -> bool {
    request.app_data::<Data<Front>>().is_none_or(|front| front.allowed.admit(client(request)))
}

/// On every answer, refusals too. What is served here is never a page, whatever a browser makes of its bytes.
const ALWAYS: [(HeaderName, HeaderValue); 3] = [
    (HeaderName::from_static("docker-distribution-api-version"), HeaderValue::from_static("registry/2.0")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'")),
];

/// Adds what is on every answer, the challenge to one that says credentials are missing, and the host to a `Location`.
pub fn add(request: &HttpRequest, response: &mut HttpResponse) {
    for (name, value) in ALWAYS {
        response.headers_mut().insert(name, value);
    }
    let Some(front) = request.app_data::<Data<Front>>() else { return };
    if let Some(host) = &front.host {
        make_absolute(response.headers_mut(), host);
    }
    if response.status() != StatusCode::UNAUTHORIZED {
        return;
    }
    let refusal = response.error().and_then(|error| error.as_error::<Json<Refusal>>());
    let header = match (&front.challenge, refusal.map(|refusal| &refusal.0)) {
        (Some(challenge), Some(Refusal::Unauthorized { fault, scopes })) => challenge.header(fault, scopes),
        _ => None,
    };
    if let Some(header) = header {
        response.headers_mut().insert(WWW_AUTHENTICATE, header);
    }
}

fn make_absolute(headers: &mut HeaderMap, host: &str) {
    let path = headers.get(LOCATION).and_then(|location| location.to_str().ok()).filter(|path| path.starts_with('/'));
    if let Some(absolute) = path.and_then(|path| HeaderValue::try_from(format!("{host}{path}")).ok()) {
        headers.insert(LOCATION, absolute);
    }
}
