//! Namespaces: the first part of repository names.

use super::repository::Visibility;
use super::word::words;
use jiff::Timestamp;
use shared::NamespaceName;

words! {
    /// To whom a namespace belongs.
    NamespaceKind {
        /// To the account of the same name.
        Account = "account",
        /// To the organisation of the same name.
        Organisation = "organisation",
        /// To nobody: `library`.
        BuiltIn = "built_in",
    }
}

/// The first part of a repository name, as a place where repositories can be made.
#[derive(Debug, Clone)]
pub struct Namespace {
    /// Never used again for another.
    pub id: String,
    /// Its name.
    pub name: NamespaceName,
    /// To whom it belongs.
    pub kind: NamespaceKind,
    /// One line for people.
    pub description: String,
    /// Who may read a new repository, unless whoever makes it says.
    pub default_visibility: Visibility,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What may be changed about a namespace; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamespaceChange {
    /// One line for people.
    pub description: Option<String>,
    /// Who may read a new repository, unless whoever makes it says. What exists already stays as it is.
    pub default_visibility: Option<Visibility>,
}
