//! From a refusal to an answer: one exhaustive match, and the two shapes of bodies.
//!
//! A handler returns the failure; the middleware here, which has the request at hand, writes the body. A body of 5xx
//! carries a code and the request's id, never what went wrong: that goes to the log.

use super::cookie;
use crate::domain::{Index, Refusal};
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
use std::fmt;
use tracing_actix_web::RequestId;

/// Seconds after which a request that met a passing trouble may come again.
const RETRY_SECONDS: u32 = 5;

/// Where pages sign in.
const SESSION: &str = "/api/v1/session";

/// Why a request gets no good answer.
#[derive(Debug)]
pub enum Failure {
    /// A verb said no.
    Refused(Refusal),
    /// The request cannot be read.
    Malformed(String),
    /// Its body is too large.
    TooLarge,
    /// `POST /token` with a grant that is not offered.
    UnsupportedGrantType,
    /// Not the internal secret.
    NotARegistry,
    /// A browser's request that does not come from a page of ours, which have this origin.
    OtherOrigin(String),
    /// A session's request that changes something and does not show the session's own token.
    NoCsrfToken,
    /// No such address.
    NoSuchRoute,
    /// The address has no such method.
    WrongMethod,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Malformed(reason) => f.write_str(reason),
            Self::TooLarge => f.write_str("the body is too large"),
            Self::UnsupportedGrantType => f.write_str("only the password grant is offered"),
            Self::NotARegistry => f.write_str("this is for registries with the internal secret"),
            Self::OtherOrigin(origin) => {
                write!(f, "a browser may ask for this only from a page of {origin}: open that")
            }
            Self::NoCsrfToken => {
                f.write_str("in a session send X-CSRF-Token with the csrf_token of GET /api/v1/session")
            }
            Self::NoSuchRoute => f.write_str("there is nothing at this address"),
            Self::WrongMethod => f.write_str("this address does not take this method; see Allow"),
        }
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.kind().status
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

/// What all failures of one sort share.
struct Kind {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
}

impl Failure {
    fn kind(&self) -> Kind {
        let (status, code, title) = match self {
            Self::Refused(refusal) => return kind_of(refusal),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed", "The request cannot be read"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Too large"),
            Self::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type", "Grant not offered"),
            Self::NotARegistry => (StatusCode::UNAUTHORIZED, "unauthorized", "Not signed in"),
            Self::OtherOrigin(_) => (StatusCode::FORBIDDEN, "other_origin", "From another site"),
            Self::NoCsrfToken => (StatusCode::FORBIDDEN, "csrf_token_needed", "Token of the session needed"),
            Self::NoSuchRoute => (StatusCode::NOT_FOUND, "not_found", "Not found"),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed"),
        };
        Kind { status, code, title }
    }

    /// What a person may read.
    fn detail(&self) -> Option<String> {
        (!self.kind().status.is_server_error()).then(|| self.to_string())
    }
}

fn kind_of(refusal: &Refusal) -> Kind {
    use Refusal as R;
    let (status, code, title) = match refusal {
        R::SignInNeeded | R::BadCredentials | R::BadToken | R::TokenExpired(_) => {
            (StatusCode::UNAUTHORIZED, "unauthorized", "Not signed in")
        }
        R::SessionOver => (StatusCode::UNAUTHORIZED, "session_over", "No longer signed in"),
        R::TokenLimited => (StatusCode::FORBIDDEN, "token_limited", "Token limited"),
        R::PasswordNeeded => (StatusCode::FORBIDDEN, "password_needed", "Password needed"),
        R::PersonNeeded => (StatusCode::FORBIDDEN, "person_needed", "Person needed"),
        R::RobotExists(_) => (StatusCode::CONFLICT, "robot_exists", "Robot exists"),
        R::TokenExists(_) => (StatusCode::CONFLICT, "token_exists", "Token exists"),
        R::AccountDisabled => (StatusCode::FORBIDDEN, "account_disabled", "Account disabled"),
        R::NotFound(..) | R::NoSuchInvitation => (StatusCode::NOT_FOUND, "not_found", "Not found"),
        R::RoleNeeded { .. } | R::OwnerNeeded(_) | R::MemberNeeded(_) | R::AdminNeeded | R::AuditorOnlySees => {
            (StatusCode::FORBIDDEN, "forbidden", "Not allowed")
        }
        R::InvitationNeeded => (StatusCode::FORBIDDEN, "invitation_needed", "Invitation needed"),
        R::InvitationOver(_) => (StatusCode::GONE, "invitation_over", "Invitation over"),
        R::AlreadyMember(_) => (StatusCode::CONFLICT, "already_member", "Member already"),
        R::SignUpClosed => (StatusCode::FORBIDDEN, "sign_up_closed", "No sign-ups"),
        R::AdminAndAuditor => (StatusCode::CONFLICT, "admin_and_auditor", "Administrator and auditor"),
        R::NameUnavailable => (StatusCode::CONFLICT, "name_unavailable", "Name not available"),
        R::NameHeld { .. } => (StatusCode::CONFLICT, "name_held", "Name held"),
        R::Moving(_) => (StatusCode::CONFLICT, "moving", "Being moved"),
        R::NotMoved(_) => (StatusCode::CONFLICT, "not_moved", "Cannot be moved"),
        R::LastOwner => (StatusCode::CONFLICT, "last_owner", "Last owner"),
        R::LastAdmin => (StatusCode::CONFLICT, "last_admin", "Last administrator"),
        R::HasRepositories(_) => (StatusCode::CONFLICT, "has_repositories", "Not empty"),
        R::TeamExists(_) => (StatusCode::CONFLICT, "team_exists", "Team exists"),
        R::Invalid(_) => (StatusCode::BAD_REQUEST, "invalid", "Not valid"),
        R::PasswordRefused(_) => (StatusCode::UNPROCESSABLE_ENTITY, "password_refused", "Password refused"),
        R::TooManyGuesses(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many_guesses", "Too many wrong passwords"),
        R::Overloaded | R::Unavailable(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available at this moment")
        }
        R::Fault(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "A fault of the server"),
    };
    Kind { status, code, title }
}

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
    if let Failure::Refused(Refusal::TooManyGuesses(seconds)) = failure {
        response.insert_header((RETRY_AFTER, *seconds));
    } else if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((RETRY_AFTER, RETRY_SECONDS));
    }
    response
}

/// RFC 9457, with a code for programs and the request's id for the log.
#[derive(Serialize)]
struct Problem {
    r#type: String,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    code: &'static str,
    request_id: String,
}

fn problem(request: &HttpRequest, failure: &Failure) -> HttpResponse {
    let Kind { status, code, title } = failure.kind();
    let public_url = request.app_data::<Data<Index>>().map_or("", |index| &index.identity().public_url);
    let problem = Problem {
        r#type: format!("{public_url}/docs/errors/{code}"),
        title,
        status: status.as_u16(),
        detail: failure.detail(),
        code,
        request_id: request_id(request),
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
    begin(failure).json(json!({ "errors": errors, "error": error, "error_description": message }))
}

fn request_id(request: &HttpRequest) -> String {
    request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default()
}

/// The handler of every address that is none.
pub async fn no_such_route() -> Result<HttpResponse, Failure> {
    Err(Failure::NoSuchRoute)
}
