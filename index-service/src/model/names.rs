//! Which names a new account or organisation may take.
//!
//! The grammar is `shared`'s; here are the rules beyond it.

use shared::NamespaceName;

/// Letters a new namespace has at least.
const MIN_LENGTH: usize = 2;

/// Names that are, or may become, an address of this service or a word that misleads people.
const RESERVED: [&str; 76] = [
    "about",
    "account",
    "accounts",
    "admin",
    "administrator",
    "anonymous",
    "api",
    "assets",
    "auth",
    "blobs",
    "catalog",
    "css",
    "docs",
    "explore",
    "favicon",
    "favicon.ico",
    "fonts",
    "health",
    "healthz",
    "help",
    "img",
    "index.html",
    "internal",
    "invitation",
    "invitations",
    "invite",
    "invites",
    "jobs",
    "js",
    "library",
    "livez",
    "login",
    "logout",
    "manifests",
    "metrics",
    "namespace",
    "namespaces",
    "new",
    "null",
    "oauth",
    "oidc",
    "openapi.json",
    "openapi.yaml",
    "org",
    "organisation",
    "organisations",
    "organization",
    "organizations",
    "orgs",
    "password",
    "password-resets",
    "readyz",
    "repositories",
    "repository",
    "robots.txt",
    "root",
    "search",
    "session",
    "sessions",
    "settings",
    "setup",
    "sign-in",
    "sign-up",
    "signin",
    "signup",
    "sitemap.xml",
    "static",
    "tags",
    "token",
    "undefined",
    "user",
    "users",
    "v1",
    "v2",
    "webhooks",
    "well-known",
];

/// The reserved name that the first administrator has, unless it is told otherwise.
const FIRST_ACCOUNT: &str = "admin";

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

/// Parses the name of the very first account.
pub fn first_account(text: &str) -> Result<NamespaceName, NewNameError> {
    if text == FIRST_ACCOUNT { Ok(NamespaceName::parse(text)?) } else { new_namespace(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_names_are_in_the_grammar_and_not_reserved() {
        for good in ["acme", "adm", "a1", "a-b.c_d", &"a".repeat(64)] {
            assert!(new_namespace(good).is_ok(), "{good}");
        }
        // Look-alikes are in no grammar: a Cyrillic a, capitals, a blank, a joint of no width, a ligature.
        let look_alikes = ["аcme", "ACME", "acme.", "acme ", "ac\u{200b}me", "ﬁ", "acme+ci"];
        for bad in ["", "A", "acme/app", "-a", "ä", &"a".repeat(65)].into_iter().chain(look_alikes) {
            assert!(matches!(new_namespace(bad), Err(NewNameError::Grammar(_))), "{bad}");
        }
        assert_eq!(new_namespace("a"), Err(NewNameError::Length));
        for reserved in RESERVED {
            assert_eq!(new_namespace(reserved), Err(NewNameError::Reserved));
        }
        assert!(first_account("admin").is_ok() && first_account("library").is_err());
        assert!(RESERVED.is_sorted());
    }
}
