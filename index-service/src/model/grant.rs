//! Grants: a role given to one account, team or robot, on a namespace or on one repository.

use super::robot::{RobotName, RobotNameError};
use super::role::Role;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::name::NameError;
use shared::{NamespaceName, RepositoryName};
use std::fmt;
use std::str::FromStr;

/// What a grant is on, by id.
#[derive(Debug, Clone)]
pub enum GrantTarget {
    /// Everything in a namespace.
    Namespace(String),
    /// One repository.
    Repository(String),
}

/// What a grant is on, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantedOn {
    /// Everything in a namespace.
    Namespace(NamespaceName),
    /// One repository.
    Repository(RepositoryName),
}

impl GrantedOn {
    /// The namespace or the repository, as bodies show it: one of the two is there.
    pub fn parts(self) -> (Option<NamespaceName>, Option<RepositoryName>) {
        match self {
            Self::Namespace(name) => (Some(name), None),
            Self::Repository(name) => (None, Some(name)),
        }
    }

    /// The namespace's or the repository's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Namespace(name) => name.as_str(),
            Self::Repository(name) => name.as_str(),
        }
    }
}

/// Who holds a grant: `user:alice`, `team:acme/developers`, or `robot:acme+ci`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum GrantSubject {
    /// An account.
    User(NamespaceName),
    /// A team of an organisation.
    Team {
        /// The organisation.
        organisation: NamespaceName,
        /// The team in it.
        team: NamespaceName,
    },
    /// A robot of an organisation.
    Robot(RobotName),
}

/// Why a text names nobody who could hold a grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantSubjectError {
    /// None of the kinds.
    #[error("a grant is given to user:<name>, to team:<organisation>/<team> or to robot:<organisation>+<name>")]
    Kind,
    /// The kind is right, the name cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A robot's name cannot be one.
    #[error(transparent)]
    Robot(#[from] RobotNameError),
}

/// A role that somebody gave.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Who holds it.
    pub subject: GrantSubject,
    /// The role.
    pub role: Role,
    /// Who gave it, by name.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

impl fmt::Display for GrantSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "user:{name}"),
            Self::Team { organisation, team } => write!(f, "team:{organisation}/{team}"),
            Self::Robot(name) => write!(f, "robot:{name}"),
        }
    }
}

impl FromStr for GrantSubject {
    type Err = GrantSubjectError;

    fn from_str(text: &str) -> Result<Self, GrantSubjectError> {
        if let Some(name) = text.strip_prefix("user:") {
            return Ok(Self::User(NamespaceName::parse(name)?));
        }
        if let Some(name) = text.strip_prefix("robot:") {
            return Ok(Self::Robot(name.parse()?));
        }
        let team = text.strip_prefix("team:").and_then(|team| team.split_once('/'));
        let (organisation, team) = team.ok_or(GrantSubjectError::Kind)?;
        Ok(Self::Team { organisation: NamespaceName::parse(organisation)?, team: NamespaceName::parse(team)? })
    }
}

impl utoipa::PartialSchema for GrantSubject {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let text = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String);
        let about = "`user:<name>`, `team:<organisation>/<team>` or `robot:<organisation>+<name>`";
        let name = "[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*";
        let pattern = format!("^(?:user:{name}|team:{name}/{name}|robot:{name}[+]{name})$");
        text.description(Some(about)).pattern(Some(pattern)).examples(["user:bob"]).into()
    }
}

impl utoipa::ToSchema for GrantSubject {}

impl TryFrom<String> for GrantSubject {
    type Error = GrantSubjectError;

    fn try_from(text: String) -> Result<Self, GrantSubjectError> {
        text.parse()
    }
}

impl From<GrantSubject> for String {
    fn from(subject: GrantSubject) -> Self {
        subject.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_read_as_it_is_written() {
        for text in ["user:alice", "team:acme/developers", "robot:acme+ci"] {
            assert_eq!(text.parse::<GrantSubject>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "alice",
            "user:",
            "user:Alice",
            "team:acme",
            "team:acme/",
            "team:acme/a/b",
            "robot:acme",
            "user:acme+ci",
        ] {
            assert!(text.parse::<GrantSubject>().is_err(), "{text}");
        }
    }
}
