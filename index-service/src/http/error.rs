//! From a refusal to a code: one exhaustive match. What a code means is in `http/codes.rs`, how the answer looks in
//! `http/problem.rs`.

use super::codes::ProblemCode;
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
    /// A whole document would be replaced, and the request does not say which one was seen.
    ConditionNeeded,
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
            Self::ConditionNeeded => f.write_str(
                "this replaces the whole document: GET it first and send its ETag as If-Match, \
                 so that nobody's change is lost; If-Match: * replaces whatever is there",
            ),
            Self::NoSuchRoute => f.write_str("there is nothing at this address"),
            Self::WrongMethod => f.write_str("this address does not take this method; see Allow"),
        }
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.code().about().status
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl Failure {
    /// What a program knows it by.
    pub fn code(&self) -> ProblemCode {
        match self {
            Self::Refused(refusal) => code_of(refusal),
            Self::Malformed(_) => ProblemCode::Malformed,
            Self::TooLarge => ProblemCode::TooLarge,
            Self::UnsupportedGrantType => ProblemCode::UnsupportedGrantType,
            Self::NotARegistry => ProblemCode::Unauthorized,
            Self::OtherOrigin(_) => ProblemCode::OtherOrigin,
            Self::NoCsrfToken => ProblemCode::CsrfTokenNeeded,
            Self::ConditionFailed => ProblemCode::ConditionFailed,
            Self::ConditionNeeded => ProblemCode::ConditionNeeded,
            Self::NoSuchRoute => ProblemCode::NotFound,
            Self::WrongMethod => ProblemCode::MethodNotAllowed,
        }
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
        (!self.status_code().is_server_error()).then(|| self.to_string())
    }
}

fn code_of(refusal: &Refusal) -> ProblemCode {
    use ProblemCode as C;
    use Refusal as R;
    match refusal {
        R::SignInNeeded | R::BadCredentials | R::BadToken | R::TokenExpired(_) => C::Unauthorized,
        R::SessionOver => C::SessionOver,
        R::AddressRefused { .. } => C::AddressRefused,
        R::TokenLimited => C::TokenLimited,
        R::PasswordNeeded => C::PasswordNeeded,
        R::PersonNeeded => C::PersonNeeded,
        R::RobotExists(_) => C::RobotExists,
        R::TokenExists(_) => C::TokenExists,
        R::AccountDisabled => C::AccountDisabled,
        R::NotFound(..) | R::NoSuchInvitation => C::NotFound,
        R::RoleNeeded { .. } | R::OwnerNeeded(_) | R::MemberNeeded(_) | R::AdminNeeded | R::AuditorOnlySees => {
            C::Forbidden
        }
        R::InvitationNeeded => C::InvitationNeeded,
        R::InvitationOver(_) => C::InvitationOver,
        R::AlreadyMember(_) => C::AlreadyMember,
        R::SignUpClosed => C::SignUpClosed,
        R::AdminAndAuditor => C::AdminAndAuditor,
        R::NameUnavailable => C::NameUnavailable,
        R::NameHeld { .. } => C::NameHeld,
        R::Moving(_) => C::Moving,
        R::NotMoved(_) => C::NotMoved,
        R::LastOwner => C::LastOwner,
        R::LastAdmin => C::LastAdmin,
        R::HasRepositories(_) => C::HasRepositories,
        R::TeamExists(_) => C::TeamExists,
        R::Invalid(_) => C::Invalid,
        R::PasswordRefused(_) => C::PasswordRefused,
        R::TooManySignUps(_) => C::TooManySignUps,
        R::TooManyGuesses(_) => C::TooManyGuesses,
        R::KeyReused => C::IdempotencyKeyReused,
        R::KeyInUse => C::IdempotencyKeyInUse,
        R::SecretShown(_) => C::SecretShown,
        R::Overloaded | R::Overtaken | R::Unavailable(_) => C::Unavailable,
        R::Fault(_) => C::Internal,
    }
}

/// The handler of every address that is none.
pub async fn no_such_route() -> Result<HttpResponse, Failure> {
    Err(Failure::NoSuchRoute)
}
