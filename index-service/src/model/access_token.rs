//! Access tokens: secrets that stand in for a password, and what each of them opens.

use super::grant::GrantedOn;
use super::role::Role;
use super::word::WordError;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::name::NameError;
use shared::{NamespaceName, Networks, RepositoryName};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use utoipa::ToSchema;

/// What the secrets of people's access tokens begin with, those of robots, and no password.
const OF_PERSON: &str = "berth_pat_";
const OF_ROBOT: &str = "berth_rob_";

/// Letters and digits after it: 256 bits.
pub const RANDOM_LENGTH: usize = 43;

/// Characters of a hash that tell a token's secrets apart.
const MARK_LENGTH: usize = 12;

/// Limits of one token at most.
pub const MAX_LIMITS: usize = 50;

/// An access token, without its secret.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// Never used again for another.
    pub id: String,
    /// What its owner calls it; unique among the owner's.
    pub name: String,
    /// Where it opens anything, and how much. Empty: wherever its owner may, as much as the owner may.
    pub limits: Limits,
    /// From where it opens anything; from everywhere if there is no range.
    pub allowed_networks: Networks,
    /// From when on it opens nothing.
    pub expires_at: Option<Timestamp>,
    /// When and from where it was used last.
    pub last_used: LastUse,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The last use of a secret.
#[derive(Debug, Clone, Default)]
pub struct LastUse {
    /// When; up to a minute behind. `None`: never.
    pub at: Option<Timestamp>,
    /// From which address, where that is known.
    pub from: Option<IpAddr>,
}

/// Where a token opens something: the role that it has there at most. By name: what gets the name later is meant too, and
/// the owner's own rights count there as everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "LimitParts", into = "LimitParts")]
pub struct Limit {
    /// Where.
    pub on: GrantedOn,
    /// How much.
    pub role: Role,
}

/// All limits of one token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Limits(pub Vec<Limit>);

/// A limit as JSON has it: on a namespace or on a repository.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Limit)]
pub struct LimitParts {
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<NamespaceName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<RepositoryName>,
    role: Role,
}

/// Why a text or JSON is no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// On nothing, or on two things.
    #[error("a limit has either a namespace or a repository")]
    Kind,
    /// The name cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The role is none.
    #[error(transparent)]
    Role(#[from] WordError),
}

/// The secret of an access token. It does not print itself.
pub struct Secret(String);

impl AccessToken {
    /// Whether it opens less than its owner may.
    pub fn is_limited(&self) -> bool {
        !self.limits.0.is_empty()
    }

    /// Whether its time is over at `now`.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

impl Limits {
    /// The role that a token with these limits has at most on the repository `name`; `None` if it opens nothing there.
    pub fn most(&self, name: &RepositoryName) -> Option<Role> {
        if self.0.is_empty() {
            return Some(Role::Admin);
        }
        let is_here = |on: &GrantedOn| match on {
            GrantedOn::Namespace(namespace) => *namespace == name.namespace(),
            GrantedOn::Repository(repository) => repository == name,
        };
        self.0.iter().filter(|limit| is_here(&limit.on)).map(|limit| limit.role).max()
    }
}

impl Secret {
    /// A new secret for a person, of [`RANDOM_LENGTH`] random letters and digits.
    pub fn of_person(random: &str) -> Self {
        Self(format!("{OF_PERSON}{random}"))
    }

    /// The same for a robot.
    pub fn of_robot(random: &str) -> Self {
        Self(format!("{OF_ROBOT}{random}"))
    }

    /// What somebody sent, if it looks like one.
    pub fn parse(text: &str) -> Option<Self> {
        let random = [OF_PERSON, OF_ROBOT].iter().find_map(|prefix| text.strip_prefix(prefix))?;
        (random.len() == RANDOM_LENGTH).then(|| Self(text.to_owned()))
    }

    /// The secret as its owner is shown it, once.
    pub fn into_text(self) -> String {
        self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> String {
        hash_of(&self.0)
    }
}

/// The secret with this hash of the token `id`, as a registry token names it.
pub fn credential(id: &str, hash: &str) -> String {
    format!("{id}.{}", hash.get(..MARK_LENGTH).unwrap_or(hash))
}

/// What is kept of a secret that is 256 random bits.
pub(super) fn hash_of(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, secret.as_bytes()))
}

impl TryFrom<LimitParts> for Limit {
    type Error = LimitError;

    fn try_from(parts: LimitParts) -> Result<Self, LimitError> {
        let on = match (parts.namespace, parts.repository) {
            (Some(name), None) => GrantedOn::Namespace(name),
            (None, Some(name)) => GrantedOn::Repository(name),
            _ => return Err(LimitError::Kind),
        };
        Ok(Self { on, role: parts.role })
    }
}

impl From<Limit> for LimitParts {
    fn from(Limit { on, role }: Limit) -> Self {
        match on {
            GrantedOn::Namespace(name) => Self { namespace: Some(name), repository: None, role },
            GrantedOn::Repository(name) => Self { namespace: None, repository: Some(name), role },
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.on {
            GrantedOn::Namespace(_) => "namespace",
            GrantedOn::Repository(_) => "repository",
        };
        write!(f, "{kind}:{}:{}", self.on.name(), self.role)
    }
}

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let mut parts = text.split(':');
        let (Some(kind), Some(name), Some(role), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(LimitError::Kind);
        };
        let on = match kind {
            "namespace" => GrantedOn::Namespace(NamespaceName::parse(name)?),
            "repository" => GrantedOn::Repository(RepositoryName::parse(name)?),
            _ => return Err(LimitError::Kind),
        };
        Ok(Self { on, role: role.parse()? })
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(Limit::to_string).collect();
        f.write_str(&texts.join(" "))
    }
}

impl FromStr for Limits {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        text.split_whitespace().map(Limit::from_str).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_they_are_written() {
        for text in ["", "namespace:acme:read", "repository:acme/app:write namespace:library:admin"] {
            assert_eq!(text.parse::<Limits>().unwrap().to_string(), text);
        }
        for text in ["acme", "namespace:acme", "namespace:acme:root", "team:acme:read", "namespace:a/b:read", "a:b:c:d"]
        {
            assert!(text.parse::<Limits>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_limited_token_has_the_largest_role_of_the_limits_that_are_met() {
        let limits: Limits =
            "namespace:acme:read repository:acme/app:write repository:other/app:admin".parse().unwrap();
        for (name, most) in [
            ("acme/app", Some(Role::Write)),
            ("acme/other", Some(Role::Read)),
            ("other/app", Some(Role::Admin)),
            ("other/second", None),
            ("app", None),
        ] {
            let name = RepositoryName::parse(name).unwrap();
            assert_eq!(limits.most(&name), most, "{name}");
            assert_eq!(Limits::default().most(&name), Some(Role::Admin));
        }
    }

    #[test]
    fn a_secret_is_told_by_its_beginning_and_kept_as_its_hash() {
        let [one, other] = ["x", "y"].map(|letter| letter.repeat(RANDOM_LENGTH));
        for (secret, other) in
            [(Secret::of_person(&one), Secret::of_person(&other)), (Secret::of_robot(&one), Secret::of_robot(&other))]
        {
            assert_ne!(credential("tok_1", &secret.hash()), credential("tok_1", &other.hash()));
            let hash = secret.hash();
            assert_eq!(Secret::parse(&secret.into_text()).unwrap().hash(), hash);
        }
        assert!(Secret::parse("correct horse").is_none() && Secret::parse("berth_pat_").is_none());
    }
}
