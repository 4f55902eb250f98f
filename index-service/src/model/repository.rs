//! Repositories, as the index knows them.

use super::word::words;
use jiff::Timestamp;
use shared::{NamespaceName, RepositoryName};

words! {
    /// Who may read a repository.
    Visibility {
        /// Who holds a role on it.
        Private = "private",
        /// Everybody, without signing in.
        Public = "public",
    }
}

words! {
    /// How far a repository is.
    RepositoryState {
        /// Allocated; nothing was pushed to its end yet, so it is not listed.
        Initialized = "initialized",
        /// It has or had a manifest.
        Ready = "ready",
    }
}

words! {
    /// In which order repositories are listed.
    RepositorySort {
        /// By name.
        Name = "name",
        /// By name, from the end.
        NameDescending = "-name",
        /// Those first that did not change for longest.
        UpdatedAt = "updated_at",
        /// Those first that changed last.
        UpdatedAtDescending = "-updated_at",
    }
}

/// Which repositories are listed; `None` for any.
#[derive(Debug, Clone, Default)]
pub struct RepositoryFilter {
    /// The namespaces that govern them, as far as there are [`Self::MOST_NAMESPACES`]; none for any.
    pub namespaces: Vec<NamespaceName>,
    /// Who may read them.
    pub visibility: Option<Visibility>,
    /// What stands in name or description.
    pub text: Option<String>,
}

impl RepositoryFilter {
    /// Namespaces that are looked in at once.
    pub const MOST_NAMESPACES: usize = 8;
}

/// One live repository.
#[derive(Debug, Clone)]
pub struct Repository {
    /// Never used again for another, even of the same name.
    pub id: String,
    /// Its whole name.
    pub name: RepositoryName,
    /// The namespace that governs it.
    pub namespace: NamespaceName,
    /// Who may read it.
    pub visibility: Visibility,
    /// One line for people.
    pub description: String,
    /// How many accounts marked it.
    pub star_count: u64,
    /// Whether the instance's administrators vouch for it.
    pub official: bool,
    /// How far it is.
    pub state: RepositoryState,
    /// Who made it, by name.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a tag or manifest, or what is said about it, last changed.
    pub updated_at: Timestamp,
}

/// What may be changed about a repository; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryChange {
    /// Who may read it.
    pub visibility: Option<Visibility>,
    /// One line for people.
    pub description: Option<String>,
    /// Whether the instance's administrators vouch for it.
    pub official: Option<bool>,
}
