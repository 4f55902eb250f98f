//! Scopes of the Docker token specification: what a client asks for, `repository:acme/app:pull,push`.
//!
//! Must not decide what is granted: that is the index's.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// What may be done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Read content.
    Pull,
    /// Add content.
    Push,
    /// Remove content.
    Delete,
    /// Search the catalog.
    Search,
    /// Whatever the subject may do.
    #[serde(rename = "*")]
    All,
}

impl Action {
    const ALL: [Self; 5] = [Self::Pull, Self::Push, Self::Delete, Self::Search, Self::All];

    /// The word in a scope.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
            Self::Search => "search",
            Self::All => "*",
        }
    }

    /// The action of that word; unknown words are nobody's right.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

/// The kind of thing a scope names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceType {
    /// A repository.
    Repository,
    /// The registry itself; its one resource is named `catalog`.
    Registry,
}

/// One thing asked for, with the actions asked for on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The kind of resource.
    pub resource: ResourceType,
    /// Its name; not yet checked against any grammar.
    pub name: String,
    /// The known actions of the list, each once.
    pub actions: BTreeSet<Action>,
}

impl Scope {
    /// A scope on a repository.
    pub fn repository(name: impl Into<String>, actions: impl IntoIterator<Item = Action>) -> Self {
        Self { resource: ResourceType::Repository, name: name.into(), actions: actions.into_iter().collect() }
    }

    /// The scope of the catalog.
    pub fn catalog() -> Self {
        Self { resource: ResourceType::Registry, name: "catalog".into(), actions: [Action::All].into() }
    }

    /// Parses one scope: the type ends at the first colon, the actions begin after the last one, so that a name may
    /// carry `host:port`. A class, as in `repository(plugin):…`, is accepted and dropped. `None` for what is malformed
    /// or of an unknown type: nothing is granted for it.
    pub fn parse(text: &str) -> Option<Self> {
        let (resource, rest) = text.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        let resource = match resource.split_once('(') {
            Some((resource, class)) if class.len() > 1 && class.ends_with(')') => resource,
            Some(_) => return None,
            None => resource,
        };
        let resource = match resource {
            "repository" => ResourceType::Repository,
            "registry" => ResourceType::Registry,
            _ => return None,
        };
        if name.is_empty() {
            return None;
        }
        Some(Self { resource, name: name.to_owned(), actions: actions.split(',').filter_map(Action::parse).collect() })
    }

    /// Parses every `scope` parameter of a request, each of which may hold several scopes separated by spaces, and
    /// merges what is asked twice. The order of first mention is kept.
    pub fn parse_all<'a>(parameters: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        let mut scopes: Vec<Self> = Vec::new();
        for scope in parameters.into_iter().flat_map(str::split_whitespace).filter_map(Self::parse) {
            match scopes.iter_mut().find(|known| known.resource == scope.resource && known.name == scope.name) {
                Some(known) => known.actions.extend(scope.actions),
                None => scopes.push(scope),
            }
        }
        scopes
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resource = match self.resource {
            ResourceType::Repository => "repository",
            ResourceType::Registry => "registry",
        };
        let actions: Vec<_> = self.actions.iter().map(|action| action.as_str()).collect();
        write!(f, "{resource}:{}:{}", self.name, actions.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_split_at_the_first_and_the_last_colon() {
        let scope = Scope::parse("repository:host:5000/acme/app:pull,push").unwrap();
        assert_eq!(scope, Scope::repository("host:5000/acme/app", [Action::Pull, Action::Push]));
        assert_eq!(scope.to_string(), "repository:host:5000/acme/app:pull,push");
    }

    #[test]
    fn a_class_is_dropped_and_unknown_actions_grant_nothing() {
        let scope = Scope::parse("repository(plugin):acme/app:pull,fly,PUSH").unwrap();
        assert_eq!(scope, Scope::repository("acme/app", [Action::Pull]));
    }

    #[test]
    fn malformed_scopes_are_nothing() {
        for bad in ["", "repository", "repository:acme/app", "repository::pull", "planet:x:pull", "repository(:a:pull"]
        {
            assert_eq!(Scope::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn scopes_are_merged_however_they_are_sent() {
        let scopes = Scope::parse_all(["repository:a/b:push repository:c/d:pull", "repository:a/b:pull", "nonsense"]);
        assert_eq!(
            scopes,
            [Scope::repository("a/b", [Action::Pull, Action::Push]), Scope::repository("c/d", [Action::Pull])]
        );
    }
}
