//! Collaborators: people from outside who were granted something in a namespace.

use super::grant::GrantedOn;
use super::role::Role;
use jiff::Timestamp;
use shared::NamespaceName;

/// A role that somebody from outside holds.
#[derive(Debug, Clone)]
pub struct Collaborator {
    /// The account's name.
    pub account: NamespaceName,
    /// Where.
    pub on: GrantedOn,
    /// The role.
    pub role: Role,
    /// Who gave it, by name.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}
