//! The span around each request: method, path without its query and without secrets, status, and a request id. Never a
//! header's value.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::{Error, HttpMessage};
use std::borrow::Cow;
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder};

/// Reads of `/v2/` are traced at debug level: a busy registry answers tens of thousands of them a second.
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        if is_read && request.path().starts_with("/v2/") { read_span(request) } else { write_span(request) }
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("status", status.as_u16());
        if status.is_server_error() {
            tracing::warn!(parent: &span, "answered with a server error");
        } else {
            tracing::debug!(parent: &span, "answered");
        }
    }
}

/// What an operator looks for in the log.
pub fn request_id(request: &ServiceRequest) -> String {
    let id = request.extensions().get::<RequestId>().copied();
    id.map(|id| id.as_hyphenated().encode_lower(&mut [0; 36]).to_owned()).unwrap_or_default()
}

fn read_span(request: &ServiceRequest) -> Span {
    tracing::debug_span!(
        "request",
        method = %request.method(),
        path = %without_secrets(request.path()),
        request_id = request_id(request),
        status = tracing::field::Empty,
    )
}

fn write_span(request: &ServiceRequest) -> Span {
    tracing::info_span!(
        "request",
        method = %request.method(),
        path = %without_secrets(request.path()),
        request_id = request_id(request),
        status = tracing::field::Empty,
    )
}

/// Every secret that Berth gives out begins so.
const SECRET: &str = "berth_";

/// The path, with each part that may be a secret cut short: that of an invitation stands in its address.
fn without_secrets(path: &str) -> Cow<'_, str> {
    if !path.contains(SECRET) {
        return Cow::Borrowed(path);
    }
    let shown = path.split('/').map(|part| if part.contains(SECRET) { "berth_…" } else { part });
    Cow::Owned(shown.collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_path_is_not_written() {
        assert_eq!(without_secrets("/v2/acme/app/manifests/v1"), "/v2/acme/app/manifests/v1");
        let path = "/api/v1/invitations/berth_inv_0123456789/accept";
        assert_eq!(without_secrets(path), "/api/v1/invitations/berth_…/accept");
    }
}
