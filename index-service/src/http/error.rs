//! From a refusal to a status and a code: one exhaustive match. How the answer looks is in `http/problem.rs`.

use crate::domain::Refusal;
use crate::model::Fault;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use std::fmt;

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
    /// What was seen is not what is there: a condition of the request does not hold.
    ConditionFailed,
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

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault.into())
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
            Self::ConditionFailed => {
                f.write_str("it is not as it was seen: look again, and send the ETag that it has now")
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
pub struct Kind {
    /// Its HTTP status.
    pub status: StatusCode,
    /// For programs; never changes.
    pub code: &'static str,
    /// For people, the same for all of the sort.
    pub title: &'static str,
}

impl Failure {
    /// Of which sort it is.
    pub fn kind(&self) -> Kind {
        let (status, code, title) = match self {
            Self::Refused(refusal) => return kind_of(refusal),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed", "The request cannot be read"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Too large"),
            Self::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type", "Grant not offered"),
            Self::NotARegistry => (StatusCode::UNAUTHORIZED, "unauthorized", "Not signed in"),
            Self::OtherOrigin(_) => (StatusCode::FORBIDDEN, "other_origin", "From another site"),
            Self::NoCsrfToken => (StatusCode::FORBIDDEN, "csrf_token_needed", "Token of the session needed"),
            Self::ConditionFailed => (StatusCode::PRECONDITION_FAILED, "condition_failed", "Changed meanwhile"),
            Self::NoSuchRoute => (StatusCode::NOT_FOUND, "not_found", "Not found"),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed"),
        };
        Kind { status, code, title }
    }

    /// What is wrong with the content of the request.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::Refused(Refusal::Invalid(faults)) => faults,
            _ => &[],
        }
    }

    /// What a person may read.
    pub fn detail(&self) -> Option<String> {
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
        R::AddressRefused { .. } => (StatusCode::FORBIDDEN, "address_refused", "Address refused"),
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
        R::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Not valid"),
        R::PasswordRefused(_) => (StatusCode::UNPROCESSABLE_ENTITY, "password_refused", "Password refused"),
        R::TooManySignUps(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many_sign_ups", "Too many sign-ups"),
        R::TooManyGuesses(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many_guesses", "Too many wrong passwords"),
        R::KeyReused => (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", "Key of another request"),
        R::KeyInUse => (StatusCode::CONFLICT, "idempotency_key_in_use", "Key in use"),
        R::SecretShown(_) => (StatusCode::CONFLICT, "secret_shown", "Done already"),
        R::Overloaded | R::Overtaken | R::Unavailable(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available at this moment")
        }
        R::Fault(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "A fault of the server"),
    };
    Kind { status, code, title }
}
/// The handler of every address that is none.
pub async fn no_such_route() -> Result<HttpResponse, Failure> {
    Err(Failure::NoSuchRoute)
}
