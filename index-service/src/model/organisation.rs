//! Organisations and their members.

use super::word::words;
use jiff::Timestamp;
use shared::NamespaceName;

words! {
    /// What a member is in an organisation.
    MemberRole {
        /// Reads everything in the organisation's namespace.
        Member = "member",
        /// Administers the organisation and everything in its namespace.
        Owner = "owner",
    }
}

/// A tenant; it owns the namespace of the same name.
#[derive(Debug, Clone)]
pub struct Organisation {
    /// Also the name of its namespace.
    pub name: NamespaceName,
    /// What people call it.
    pub display_name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An account's place in an organisation.
#[derive(Debug, Clone)]
pub struct Member {
    /// The account's name.
    pub account: NamespaceName,
    /// What it is there.
    pub role: MemberRole,
    /// Since when.
    pub created_at: Timestamp,
}
