//! Grants: a role given to one account on a namespace or on one repository.

use super::role::Role;
use jiff::Timestamp;
use shared::NamespaceName;

/// What a grant is on, by id.
#[derive(Debug, Clone)]
pub enum GrantTarget {
    /// Everything in a namespace.
    Namespace(String),
    /// One repository.
    Repository(String),
}

/// A role that somebody gave.
#[derive(Debug, Clone)]
pub struct Grant {
    /// To this account.
    pub account: NamespaceName,
    /// The role.
    pub role: Role,
    /// Who gave it, by name.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}
