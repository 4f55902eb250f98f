//! What a registry token says: the claims of the Docker token specification, and the repository's id.

use crate::name::RepositoryName;
use crate::revocations::Position;
use crate::scope::{Action, ResourceType};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Seconds by which a clock may be wrong when a token's times are checked.
pub const LEEWAY_SECONDS: u64 = 60;

/// The claims of a registry token. Times are seconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The index that issued it.
    pub iss: String,
    /// The account's name; empty for an anonymous client.
    pub sub: String,
    /// The registry it is for: the `service` that was asked for, always one string.
    pub aud: String,
    /// Not valid from here on.
    pub exp: u64,
    /// Not valid before.
    pub nbf: u64,
    /// When it was issued.
    pub iat: u64,
    /// Unique.
    pub jti: String,
    /// The access token it was issued for, and which of its secrets: with that it ends. Absent where a password was given, or
    /// nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// Where the index's feed of revocations stood when the rights below were read.
    #[serde(default)]
    pub as_of: Position,
    /// One entry for each resource asked for, also where nothing was granted.
    pub access: Vec<Access>,
}

/// What a token allows on one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The kind of resource.
    #[serde(rename = "type")]
    pub resource: ResourceType,
    /// Its name, as asked for.
    pub name: String,
    /// What was granted; empty where nothing was.
    pub actions: BTreeSet<Action>,
    /// The repository's id, which is never used again for another. Absent while the name is not allocated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Access {
    /// Whether `action` is granted here.
    pub fn allows(&self, action: Action) -> bool {
        self.actions.contains(&action) || self.actions.contains(&Action::All)
    }
}

impl Claims {
    /// The entry for `repository`, if the client asked for it.
    pub fn repository(&self, repository: &RepositoryName) -> Option<&Access> {
        self.access.iter().find(|entry| entry.resource == ResourceType::Repository && entry.name == repository.as_str())
    }

    /// Whether the token allows `action` on the catalog.
    pub fn catalog(&self, action: Action) -> bool {
        self.access
            .iter()
            .any(|entry| entry.resource == ResourceType::Registry && entry.name == "catalog" && entry.allows(action))
    }
}
