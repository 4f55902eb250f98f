//! Which names a new account or organisation may take.
//!
//! The grammar is `shared`'s; here are the rules beyond it.

use shared::NamespaceName;

/// Letters a new namespace has at least.
const MIN_LENGTH: usize = 2;

/// Names that are, or may become, an address of this service or a word that misleads people.
const RESERVED: [&str; 44] = [
    "_catalog",
    "about",
    "account",
    "accounts",
    "api",
    "assets",
    "auth",
    "blobs",
    "catalog",
    "docs",
    "explore",
    "favicon.ico",
    "health",
    "healthz",
    "help",
    "internal",
    "jobs",
    "library",
    "livez",
    "login",
    "logout",
    "manifests",
    "metrics",
    "namespaces",
    "new",
    "null",
    "organisations",
    "organizations",
    "orgs",
    "readyz",
    "repositories",
    "robots.txt",
    "root",
    "search",
    "settings",
    "setup",
    "signup",
    "static",
    "tags",
    "token",
    "user",
    "users",
    "v1",
    "v2",
];

/// Why a name cannot be that of a new namespace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NewNameError {
    /// Not in the grammar of names.
    #[error(transparent)]
    Grammar(#[from] shared::name::NameError),
    /// Too short.
    #[error("a name has 2 to 64 characters")]
    Length,
    /// Kept for the service itself.
    #[error("this name is reserved")]
    Reserved,
}

/// Parses the name of a new account or organisation.
pub fn new_namespace(text: &str) -> Result<NamespaceName, NewNameError> {
    let name = NamespaceName::parse(text)?;
    if text.len() < MIN_LENGTH {
        return Err(NewNameError::Length);
    }
    if RESERVED.contains(&text) {
        return Err(NewNameError::Reserved);
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_names_are_in_the_grammar_and_not_reserved() {
        for good in ["acme", "admin", "a1", "a-b.c_d", &"a".repeat(64)] {
            assert!(new_namespace(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "acme/app", "-a", "ä", &"a".repeat(65)] {
            assert!(matches!(new_namespace(bad), Err(NewNameError::Grammar(_))), "{bad}");
        }
        assert_eq!(new_namespace("a"), Err(NewNameError::Length));
        assert_eq!(new_namespace("library"), Err(NewNameError::Reserved));
    }
}
