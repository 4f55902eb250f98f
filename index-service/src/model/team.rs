//! Teams: members of an organisation that hold grants together.

use super::grant::GrantedOn;
use super::role::Role;
use jiff::Timestamp;
use shared::NamespaceName;

/// A team of an organisation.
#[derive(Debug, Clone)]
pub struct Team {
    /// Unique in the organisation; it has the grammar of a namespace's name.
    pub name: NamespaceName,
    /// One line about it.
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What may be changed about a team; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct TeamChange {
    /// Its name. What it holds, it keeps.
    pub name: Option<NamespaceName>,
    /// The line about it.
    pub description: Option<String>,
}

/// An account's place in a team.
#[derive(Debug, Clone)]
pub struct TeamMember {
    /// The account's name.
    pub account: NamespaceName,
    /// Since when.
    pub created_at: Timestamp,
}

/// A role that a team holds.
#[derive(Debug, Clone)]
pub struct TeamGrant {
    /// Where.
    pub on: GrantedOn,
    /// The role.
    pub role: Role,
    /// Who gave it, by name.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}
