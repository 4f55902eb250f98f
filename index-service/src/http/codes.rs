//! The codes of refusals, in one table: the status each comes with, what it is, and what to do about it. Must not decide
//! which one a refusal has: that is `http/error.rs`.

use crate::model::word::words;
use actix_web::http::StatusCode;

/// What all refusals with one code share.
pub struct About {
    /// Their status.
    pub status: StatusCode,
    /// What it is, for people.
    pub title: &'static str,
    /// What to do about it, for people; what stands between backticks is code.
    pub advice: &'static str,
}

/// `Name = "its_word", STATUS, "What it is": "What to do about it.";`
macro_rules! codes {
    ($($name:ident = $word:literal, $status:ident, $title:literal: $advice:literal;)+) => {
        words! {
            /// What a program knows a refusal by; it never changes.
            ProblemCode {
                $(#[doc = $title] $name = $word,)+
            }
        }

        impl ProblemCode {
            /// What all refusals with this code share.
            pub fn about(self) -> About {
                let (status, title, advice) = match self {
                    $(Self::$name => (StatusCode::$status, $title, $advice),)+
                };
                About { status, title, advice }
            }
        }
    };
}

codes! {
    AccountDisabled = "account_disabled", FORBIDDEN, "Account disabled":
        "Ask an administrator of this instance to enable the account.";
    AddressRefused = "address_refused", FORBIDDEN, "Address refused":
        "Use the secret from one of its `allowed_networks`, or change those from where it may be used.";
    AdminAndAuditor = "admin_and_auditor", CONFLICT, "Administrator and auditor":
        "Take away `is_admin` before you give `is_auditor`, or the other way round.";
    AlreadyMember = "already_member", CONFLICT, "Member already":
        "There is nothing to accept: an owner of the organisation changes what you are there.";
    ConditionFailed = "condition_failed", PRECONDITION_FAILED, "Changed meanwhile":
        "GET it again, decide anew, and send the `ETag` that it has now as `If-Match`.";
    ConditionNeeded = "condition_needed", PRECONDITION_REQUIRED, "Condition needed":
        "GET it first and send its `ETag` as `If-Match`; `If-Match: *` replaces whatever is there.";
    CsrfTokenNeeded = "csrf_token_needed", FORBIDDEN, "Token of the session needed":
        "Send the `csrf_token` of `GET /api/v1/session` as `X-CSRF-Token`.";
    Forbidden = "forbidden", FORBIDDEN, "Not allowed":
        "Ask whoever the detail names for the role that it names; `…/-/explain` says what one has.";
    HasRepositories = "has_repositories", CONFLICT, "Not empty":
        "Delete the organisation's repositories first, or rename the organisation instead.";
    IdempotencyKeyInUse = "idempotency_key_in_use", CONFLICT, "Key in use":
        "Wait and send the same request again; if it stays so, the first one was cut off: look what came of it.";
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "Key of another request":
        "Take a new random `Idempotency-Key` for each request, and the old one only to send the same again.";
    Internal = "internal", INTERNAL_SERVER_ERROR, "A fault of the server":
        "Tell an administrator the `request_id`: the server's log has the rest under it.";
    Invalid = "invalid", UNPROCESSABLE_ENTITY, "Not valid":
        "Mend all that stands in `errors`: each has its place, in the body or in the query, and a sentence.";
    InvitationNeeded = "invitation_needed", FORBIDDEN, "Invitation needed":
        "Ask an owner of an organisation for an invitation that allows to sign up, and send its secret.";
    InvitationOver = "invitation_over", GONE, "Invitation over":
        "It was accepted, declined, revoked or too late: ask an owner of the organisation for another.";
    LastAdmin = "last_admin", CONFLICT, "Last administrator":
        "Make somebody else an administrator first.";
    LastOwner = "last_owner", CONFLICT, "Last owner":
        "Make another member an owner first.";
    Malformed = "malformed", BAD_REQUEST, "The request cannot be read":
        "Send JSON as `Content-Type: application/json`, and names in the address as their rules have them.";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Method not allowed":
        "Use one of the methods in `Allow`.";
    Moving = "moving", CONFLICT, "Being moved":
        "Wait: what was begun is done as soon as the registry answers, and then the repository is free again.";
    NameHeld = "name_held", CONFLICT, "Name held":
        "Restore the deleted repository, have it purged, or take another name until it is.";
    NameUnavailable = "name_unavailable", CONFLICT, "Name not available":
        "Take another name: this one is taken, reserved, or where you may make nothing.";
    NotFound = "not_found", NOT_FOUND, "Not found":
        "Look at the address and at who you are signed in as: what is private looks as if it were not there.";
    NotMoved = "not_moved", CONFLICT, "Cannot be moved":
        "The detail says what is in the way at the registry; mend that first.";
    OtherOrigin = "other_origin", FORBIDDEN, "From another site":
        "Open the page at the address of this instance itself.";
    PasswordNeeded = "password_needed", FORBIDDEN, "Password needed":
        "Sign in with the account's password, or in a session: no access token does this.";
    PasswordRefused = "password_refused", UNPROCESSABLE_ENTITY, "Password refused":
        "Choose one that is harder to guess; the detail says how.";
    PersonNeeded = "person_needed", FORBIDDEN, "Person needed":
        "Sign in with a person's account: a robot pulls, pushes, and reads.";
    RobotExists = "robot_exists", CONFLICT, "Robot exists":
        "Take another name, or rotate the secret of the robot that is there.";
    SecretShown = "secret_shown", CONFLICT, "Done already":
        "The first request was carried out and its secret is not kept: rotate it for another.";
    SessionOver = "session_over", UNAUTHORIZED, "No longer signed in":
        "Sign in again.";
    SignUpClosed = "sign_up_closed", FORBIDDEN, "No sign-ups":
        "Ask an administrator of this instance for an account.";
    TeamExists = "team_exists", CONFLICT, "Team exists":
        "Take another name, or change the team that is there.";
    TokenExists = "token_exists", CONFLICT, "Token exists":
        "Take another name, or rotate the access token that is there.";
    TokenLimited = "token_limited", FORBIDDEN, "Token limited":
        "Use an access token without limits, or the password.";
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "Too large":
        "Send less: a body of this API has 64 KiB at most.";
    TooManyGuesses = "too_many_guesses", TOO_MANY_REQUESTS, "Too many wrong passwords":
        "Wait as long as `Retry-After` says, or sign in with an access token, which is never held back.";
    TooManySignUps = "too_many_sign_ups", TOO_MANY_REQUESTS, "Too many sign-ups":
        "Wait as long as `Retry-After` says: there were too many from where you are.";
    Unauthorized = "unauthorized", UNAUTHORIZED, "Not signed in":
        "Sign in with a name and its password, or with an access token that is still good.";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Not available at this moment":
        "Send the same request again after `Retry-After`.";
    UnsupportedGrantType = "unsupported_grant_type", BAD_REQUEST, "Grant not offered":
        "Ask `/token` with `grant_type=password`.";
}
