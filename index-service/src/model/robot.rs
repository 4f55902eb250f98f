//! Robots: machine accounts of an organisation, which have a secret and no password, and hold what they were granted.

use super::access_token::LastUse;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::name::NameError;
use shared::{NamespaceName, Networks};
use std::fmt;
use std::str::FromStr;

/// A robot's whole name: `acme+ci`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RobotName {
    /// The organisation that it belongs to.
    pub organisation: NamespaceName,
    /// Its own name there.
    pub robot: NamespaceName,
}

/// Why a text is no robot's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RobotNameError {
    /// No `+`.
    #[error("a robot's name is <organisation>+<name>")]
    Form,
    /// A part of it cannot be a name.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// A robot.
#[derive(Debug, Clone)]
pub struct Robot {
    /// Unique in the instance.
    pub name: RobotName,
    /// One line about it.
    pub description: String,
    /// Since when it may do nothing at all.
    pub disabled_at: Option<Timestamp>,
    /// From where its secret opens anything; from everywhere if there is no range.
    pub allowed_networks: Networks,
    /// From when on its secret opens nothing.
    pub expires_at: Option<Timestamp>,
    /// When and from where its secret was used last.
    pub last_used: LastUse,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What may be changed about a robot; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct RobotChange {
    /// The line about it.
    pub description: Option<String>,
    /// Whether it may do nothing at all.
    pub disabled: Option<bool>,
    /// From where its secret opens anything.
    pub allowed_networks: Option<Networks>,
}

impl fmt::Display for RobotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.organisation, self.robot)
    }
}

impl FromStr for RobotName {
    type Err = RobotNameError;

    fn from_str(text: &str) -> Result<Self, RobotNameError> {
        let (organisation, robot) = text.split_once('+').ok_or(RobotNameError::Form)?;
        Ok(Self { organisation: NamespaceName::parse(organisation)?, robot: NamespaceName::parse(robot)? })
    }
}

impl utoipa::PartialSchema for RobotName {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let text = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String);
        text.examples(["acme+ci"]).into()
    }
}

impl utoipa::ToSchema for RobotName {}

impl TryFrom<String> for RobotName {
    type Error = RobotNameError;

    fn try_from(text: String) -> Result<Self, RobotNameError> {
        text.parse()
    }
}

impl From<RobotName> for String {
    fn from(name: RobotName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_robot_s_name_is_read_as_it_is_written() {
        assert_eq!("acme+ci".parse::<RobotName>().unwrap().to_string(), "acme+ci");
        for text in ["acme", "acme+", "+ci", "acme+ci+x", "Acme+ci", "acme/app+ci"] {
            assert!(text.parse::<RobotName>().is_err(), "{text}");
        }
    }
}
