//! Why a verb says no, in words for the person who asked. Must not know how an answer carries it.

use crate::model::invitation::InvitationState;
use crate::model::names::NewNameError;
use crate::model::rate::HeldBack;
use crate::model::{Fault, Role};
use crate::store::StoreError;
use jiff::Timestamp;
use shared::RepositoryName;
use std::fmt;
use std::net::IpAddr;

/// What was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noun {
    /// An account.
    User,
    /// An organisation.
    Organisation,
    /// A member of an organisation.
    Member,
    /// A team of an organisation.
    Team,
    /// A member of a team.
    TeamMember,
    /// A namespace.
    Namespace,
    /// A grant.
    Grant,
    /// A repository.
    Repository,
    /// A deleted repository.
    DeletedRepository,
    /// A manifest.
    Manifest,
    /// An access token.
    AccessToken,
    /// A robot of an organisation.
    Robot,
    /// A decision on a registry token.
    Decision,
    /// A session of an account.
    Session,
    /// An invitation to an organisation.
    Invitation,
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Organisation => "organisation",
            Self::Member => "member",
            Self::Team => "team",
            Self::TeamMember => "team member",
            Self::Namespace => "namespace",
            Self::Grant => "grant for",
            Self::Repository => "repository",
            Self::DeletedRepository => "deleted repository",
            Self::Manifest => "manifest",
            Self::AccessToken => "access token",
            Self::Robot => "robot",
            Self::Decision => "decision",
            Self::Session => "session",
            Self::Invitation => "invitation",
        })
    }
}

/// A verb's no. What is private is refused exactly as what does not exist.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No credentials where some are needed.
    #[error("sign in with the name and password of an account")]
    SignInNeeded,
    /// Wrong credentials; which part of them is nobody's business.
    #[error("incorrect username or password")]
    BadCredentials,
    /// A session that is over, or none at all.
    #[error("you are no longer signed in here; sign in again")]
    SessionOver,
    /// A good secret whose time is over: of what, in words.
    #[error("{0} has expired: rotate it and give it a new end")]
    TokenExpired(String),
    /// A good secret that may not be used from where the client is.
    #[error("{what} may not be used from your address, {}: see its allowed_networks", from.map_or_else(|| "which is unknown".to_owned(), |from| from.to_string()))]
    AddressRefused {
        /// Whose secret, in words.
        what: String,
        /// The client's address; `None` if it is not known.
        from: Option<IpAddr>,
    },
    /// A good access token that opens less than this.
    #[error("this access token is limited to some repositories; this needs one without limits, or the password")]
    TokenLimited,
    /// A good access token where only the password will do.
    #[error("this needs the account's password: no access token will do")]
    PasswordNeeded,
    /// A robot where a person has to decide.
    #[error("this needs a person's account: a robot pulls, pushes, and reads")]
    PersonNeeded,
    /// There is a robot of this name.
    #[error("there is a robot {0:?} already")]
    RobotExists(String),
    /// The account has an access token of this name.
    #[error("you have an access token {0:?} already")]
    TokenExists(String),
    /// Right credentials of an account that may do nothing.
    #[error("this account is disabled; ask an administrator")]
    AccountDisabled,
    /// A token that is not good, whatever the reason.
    #[error("the token is not valid for this")]
    BadToken,
    /// Not there, or not for this subject's eyes.
    #[error("there is no {0} {1:?} that you can see")]
    NotFound(Noun, String),
    /// Seen, and not allowed.
    #[error("this needs the role {needed} on {on}")]
    RoleNeeded {
        /// The least role that may.
        needed: Role,
        /// Namespace or repository.
        on: String,
    },
    /// Only who runs the organisation may.
    #[error("only an owner of organisation {0} may do this")]
    OwnerNeeded(String),
    /// Only members may see it, and who administers the namespace.
    #[error("only members of organisation {0} may see this")]
    MemberNeeded(String),
    /// An auditor where something would change.
    #[error("an auditor sees everything and changes nothing but its own account")]
    AuditorOnlySees,
    /// One account would be both.
    #[error("an administrator sees everything anyway: an account is an administrator or an auditor, not both")]
    AdminAndAuditor,
    /// Only who runs the instance may.
    #[error("only an administrator of this instance may do this")]
    AdminNeeded,
    /// Nobody makes an account for oneself.
    #[error("this instance takes no sign-ups: ask an administrator of it for an account")]
    SignUpClosed,
    /// Only who was invited makes an account for oneself.
    #[error("this instance takes those who are invited: it needs the secret of an invitation that allows to sign up")]
    InvitationNeeded,
    /// Whoever has no good secret learns nothing.
    #[error("there is no invitation with this secret")]
    NoSuchInvitation,
    /// A good secret, too late.
    #[error("this invitation is {0}: ask an owner of the organisation for another")]
    InvitationOver(InvitationState),
    /// An invitation is for who is not there yet.
    #[error("you are a member of organisation {0} already; its owners change what you are there")]
    AlreadyMember(String),
    /// Taken, reserved, or in a namespace where the subject may make nothing: one sentence for all.
    #[error("this name is not available to you")]
    NameUnavailable,
    /// The name of a repository that was deleted lately.
    #[error("repository {name} was deleted and holds its name until {until}: restore it, or choose another name")]
    NameHeld {
        /// The name.
        name: RepositoryName,
        /// When it is purged.
        until: Timestamp,
    },
    /// Something else is becoming of the repository, and is not known to be done.
    #[error("repository {0} is being moved or purged; what waits for its registry is done when that answers")]
    Moving(RepositoryName),
    /// A registry cannot do it.
    #[error("{0}")]
    NotMoved(String),
    /// The organisation would have nobody to run it.
    #[error("an organisation keeps at least one owner who can sign in; make another member owner first")]
    LastOwner,
    /// The instance would have nobody to run it.
    #[error("an instance keeps at least one administrator who can sign in")]
    LastAdmin,
    /// An organisation is deleted when it is empty.
    #[error("organisation {0} still has repositories; delete them first")]
    HasRepositories(String),
    /// The organisation has a team of this name.
    #[error("this organisation has a team {0:?} already")]
    TeamExists(String),
    /// The request's content breaks rules: all of them that are known.
    #[error("{}", sentences(.0))]
    Invalid(Vec<Fault>),
    /// A new password that will not do, and what to do about it.
    #[error("{0}")]
    PasswordRefused(String),
    /// Too many wrong passwords.
    #[error("there were too many wrong passwords; try again in {} s, or sign in with an access token", .0.seconds)]
    TooManyGuesses(HeldBack),
    /// Another request of the same caller has the key.
    #[error("this Idempotency-Key was sent with another request: take a new one for each")]
    KeyReused,
    /// A request with the key has begun, and has no answer.
    #[error("a request with this Idempotency-Key is being carried out, or was cut off: look what has come of it")]
    KeyInUse,
    /// The request was carried out, and its answer cannot be given again.
    #[error("this was done already, and the secret in its answer is not kept{}: rotate it for another", place(.0.as_ref()))]
    SecretShown(Option<String>),
    /// Others changed something between the look and the change, again and again.
    #[error("others change things too quickly at this moment; try again")]
    Overtaken,
    /// Too many accounts from one address.
    #[error("too many sign up from where you are; try again in {} s", .0.seconds)]
    TooManySignUps(HeldBack),
    /// Too many people sign in at once.
    #[error("too many are signing in at this moment; try again in a few seconds")]
    Overloaded,
    /// The database cannot do it now; the same request may succeed later.
    #[error("{0}")]
    Unavailable(String),
    /// A fault of ours.
    #[error("{0}")]
    Fault(String),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Overtaken => Self::Overtaken,
            StoreError::Busy(_) | StoreError::Undone => Self::Unavailable(error.to_string()),
            StoreError::Broken(_) => Self::Fault(error.to_string()),
        }
    }
}

impl From<NewNameError> for Refusal {
    fn from(error: NewNameError) -> Self {
        match error {
            NewNameError::Grammar(_) | NewNameError::Length => Fault::at("/name", "not_a_name", error).into(),
            NewNameError::Reserved => Self::NameUnavailable,
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Invalid(vec![fault])
    }
}

impl From<Vec<Fault>> for Refusal {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Invalid(faults)
    }
}

fn place(location: Option<&String>) -> String {
    location.map(|location| format!(" (see {location})")).unwrap_or_default()
}

fn sentences(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Refusal {
    /// Not there, or not for this subject's eyes.
    pub(super) fn not_found(noun: Noun, name: impl fmt::Display) -> Self {
        Self::NotFound(noun, name.to_string())
    }

    /// The request's content breaks a rule.
    pub(crate) fn invalid(reason: impl fmt::Display) -> Self {
        Self::invalid_at("", reason)
    }

    /// What `pointer` leads to in the request's body breaks a rule.
    pub(crate) fn invalid_at(pointer: &str, reason: impl fmt::Display) -> Self {
        Fault::at(pointer, "invalid", reason).into()
    }
}
