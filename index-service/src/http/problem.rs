//! How a refusal looks: the two shapes of bodies.
//!
//! A handler returns the failure; the middleware here, which has the request at hand, writes the body. A body of 5xx
//! carries a code and the request's id, never what went wrong: that goes to the log.

use super::clock::now;
use super::codes::{About, ProblemCode};
use super::cookie;
use super::error::Failure;
use crate::domain::{Index, Refusal};
use crate::model::Fault;
use crate::model::fault::At;
use crate::model::rate::HeldBack;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;
use serde_json::json;
use shared::{ErrorBody, ErrorCode};
use tracing_actix_web::RequestId;
use utoipa::ToSchema;

/// Seconds after which a request that met a passing trouble may come again.
const RETRY_SECONDS: u32 = 5;

/// Where pages sign in.
const SESSION: &str = "/api/v1/session";

/// Middleware: failures as `application/problem+json` (RFC 9457).
pub async fn render_problem(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    Ok(render(next.call(request).await?, problem))
}

/// Middleware: failures as docker and OAuth2 clients both read them.
pub async fn render_token_error(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    Ok(render(next.call(request).await?, token_error))
}

fn render(
    answer: ServiceResponse<impl MessageBody + 'static>,
    body: impl FnOnce(&HttpRequest, &Failure) -> HttpResponse,
) -> ServiceResponse<BoxBody> {
    let failure = answer.response().error().and_then(|error| error.as_error::<Failure>());
    let failure = match failure {
        Some(failure) => failure,
        None if answer.status() == StatusCode::METHOD_NOT_ALLOWED => &Failure::WrongMethod,
        None => return answer.map_into_boxed_body(),
    };
    if failure.status_code().is_server_error() {
        tracing::error!("{failure}");
    }
    let mut rendered = body(answer.request(), failure);
    if let Some(allowed) = answer.headers().get(ALLOW) {
        rendered.headers_mut().insert(ALLOW, allowed.clone());
    }
    answer.into_response(rendered)
}

/// The answer without its body.
fn begin(failure: &Failure) -> HttpResponseBuilder {
    let status = failure.status_code();
    let mut response = HttpResponse::build(status);
    response.insert_header((CACHE_CONTROL, "no-store"));
    if let Some((policy, HeldBack { rate, seconds })) = held_back(failure) {
        response.insert_header((RETRY_AFTER, seconds));
        // As draft-ietf-httpapi-ratelimit-headers has them, and as scripts of before it do.
        let (limit, window) = (rate.times(), rate.window_seconds());
        response.insert_header(("RateLimit-Policy", format!("\"{policy}\";q={limit};w={window}")));
        response.insert_header(("RateLimit", format!("\"{policy}\";r=0;t={seconds}")));
        response.insert_header(("X-RateLimit-Limit", limit));
        response.insert_header(("X-RateLimit-Remaining", 0));
        response.insert_header(("X-RateLimit-Reset", now().as_second().saturating_add_unsigned(seconds)));
    } else if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((RETRY_AFTER, RETRY_SECONDS));
    }
    response
}

/// Of what there was too much, by name.
fn held_back(failure: &Failure) -> Option<(&'static str, HeldBack)> {
    match failure {
        Failure::Refused(Refusal::TooManyGuesses(held)) => Some(("wrong-passwords", *held)),
        Failure::Refused(Refusal::TooManySignUps(held)) => Some(("sign-ups", *held)),
        _ => None,
    }
}

/// RFC 9457, with a code for programs and the request's id for the log.
#[derive(Serialize, ToSchema)]
pub struct Problem {
    /// A page of this instance about the code.
    r#type: String,
    title: &'static str,
    #[schema(example = 422)]
    status: u16,
    /// What to do, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    code: ProblemCode,
    /// What the log knows the request by.
    request_id: String,
    /// What is wrong with the content, all of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FaultBody>,
}

/// One fault: in the body, or in a parameter.
#[derive(Serialize, ToSchema)]
struct FaultBody {
    /// Where in the body: a JSON pointer (RFC 6901), empty for all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    /// Which parameter of the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// For programs; never changes.
    #[schema(example = "required")]
    code: &'static str,
    /// For people.
    detail: String,
}

impl From<&Fault> for FaultBody {
    fn from(fault: &Fault) -> Self {
        let (pointer, parameter) = match &fault.at {
            At::Pointer(pointer) => (Some(pointer.clone()), None),
            At::Parameter(name) => (None, Some(name.clone())),
        };
        Self { pointer, parameter, code: fault.code, detail: fault.detail.clone() }
    }
}

fn problem(request: &HttpRequest, failure: &Failure) -> HttpResponse {
    let code = failure.code();
    let About { status, title, .. } = code.about();
    let public_url = request.app_data::<Data<Index>>().map_or("", |index| &index.identity().public_url);
    let problem = Problem {
        r#type: format!("{public_url}/docs/errors/{code}"),
        title,
        status: status.as_u16(),
        detail: failure.detail(),
        code,
        request_id: request_id(request),
        errors: failure.faults().iter().map(FaultBody::from).collect(),
    };
    let mut response = begin(failure);
    if status == StatusCode::UNAUTHORIZED && request.path().starts_with("/api/") {
        response.insert_header((WWW_AUTHENTICATE, challenge(request, failure)));
    }
    if let (Failure::Refused(Refusal::SessionOver), Some(cookie)) = (failure, cookie::stale(request)) {
        response.cookie(cookie);
    }
    response.insert_header((CONTENT_TYPE, "application/problem+json")).json(problem)
}

/// What a client may sign in with. At `Basic` a browser asks for a password by itself, where a page is about to ask.
fn challenge(request: &HttpRequest, failure: &Failure) -> &'static str {
    let in_page = request.path() == SESSION || matches!(failure, Failure::Refused(Refusal::SessionOver));
    if in_page { "Session realm=\"Berth\"" } else { "Basic realm=\"Berth\"" }
}

fn token_error(request: &HttpRequest, failure: &Failure) -> HttpResponse {
    let (code, error) = match failure.status_code() {
        StatusCode::UNAUTHORIZED => (ErrorCode::Unauthorized, "invalid_grant"),
        StatusCode::FORBIDDEN => (ErrorCode::Denied, "access_denied"),
        StatusCode::TOO_MANY_REQUESTS => (ErrorCode::TooManyRequests, "slow_down"),
        StatusCode::SERVICE_UNAVAILABLE => (ErrorCode::Unavailable, "temporarily_unavailable"),
        status if status.is_server_error() => (ErrorCode::Unknown, "server_error"),
        _ => (ErrorCode::Unsupported, "invalid_request"),
    };
    let error = if matches!(failure, Failure::UnsupportedGrantType) { "unsupported_grant_type" } else { error };
    let message = failure.detail().unwrap_or_else(|| format!("request {} failed", request_id(request)));
    let errors = ErrorBody::one(code, message.as_str()).errors;
    let mut response = begin(failure);
    // RFC 6749 5.2: a request that is not right is 400, whatever is wrong with it.
    if failure.status_code() == StatusCode::UNPROCESSABLE_ENTITY {
        response.status(StatusCode::BAD_REQUEST);
    }
    response.json(json!({ "errors": errors, "error": error, "error_description": message }))
}

fn request_id(request: &HttpRequest) -> String {
    request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default()
}
