//! The revocation feed: by number, not by clock, registries hear which registry tokens say more than their subjects still
//! hold.
//!
//! The index has one counter. A transaction that can take a right away writes a row with the next number, and a token
//! carries the number that stood where its rights were read: a row voids, in what it names, every token with a smaller
//! one. `GET /internal/v1/revocations?incarnation=I&after=N` answers with the rows after `N`, at once or when there are
//! any, and after a second at most.

use crate::name::RepositoryName;
use crate::{Claims, ResourceType};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A place in the feed of one index. The default one is no index's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Which database the numbers are of: another one since a backup was restored.
    pub incarnation: String,
    /// The number of the last row.
    pub number: u64,
}

/// What a row of the feed names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Revoked {
    /// An account, by its name.
    Subject(String),
    /// An access token by its id, or one of its secrets as [`Claims::credential`] names it.
    Credential(String),
    /// Whatever was granted in a namespace, by its name.
    Namespace(String),
    /// A repository, by its id.
    Repository(String),
}

/// A row of the feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Voids tokens with a smaller one.
    pub number: u64,
    /// What it names.
    #[serde(flatten)]
    pub revoked: Revoked,
}

/// What became of the feed since a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedAnswer {
    /// Where the feed stands, as far as the rows go.
    pub position: Position,
    /// The smallest number of a row that is kept: nobody needs those before.
    pub oldest: u64,
    /// Whether these are all rows that are kept: the position asked about was unknown.
    pub is_whole: bool,
    /// Whether more follow at once.
    pub more: bool,
    /// The rows, in the order of their numbers.
    pub revocations: Vec<Revocation>,
}

impl Revoked {
    /// Whether it names what `claims` say, where `repositories` are the ids of the repositories in them that are
    /// allocated: a token for a free name carries no id.
    pub fn names(&self, claims: &Claims, repositories: &BTreeMap<RepositoryName, String>) -> bool {
        let mut granted = claims
            .access
            .iter()
            .filter(|entry| entry.resource == ResourceType::Repository && !entry.actions.is_empty());
        match self {
            Self::Subject(name) => claims.sub == *name,
            Self::Credential(name) => claims.credential.as_deref().is_some_and(|credential| {
                credential == name || credential.split_once('.').is_some_and(|(id, _)| id == name)
            }),
            Self::Namespace(name) => granted.any(|entry| {
                RepositoryName::parse(&entry.name).is_ok_and(|repository| repository.namespace().as_str() == name)
            }),
            Self::Repository(id) => {
                granted.any(|entry| entry.id.as_ref() == Some(id)) || repositories.values().any(|other| other == id)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, Action};

    fn claims() -> Claims {
        let access = [("acme/app", Some("id-1"), true), ("acme/new", None, true), ("other/secret", None, false)];
        let access = access.into_iter().map(|(name, id, granted)| Access {
            resource: ResourceType::Repository,
            name: name.to_owned(),
            actions: granted.then_some(Action::Push).into_iter().collect(),
            id: id.map(str::to_owned),
        });
        Claims {
            iss: String::new(),
            sub: "alice".to_owned(),
            aud: String::new(),
            exp: 0,
            nbf: 0,
            iat: 0,
            jti: String::new(),
            credential: Some("tok_1.abc".to_owned()),
            as_of: Position::default(),
            access: access.collect(),
        }
    }

    #[test]
    fn a_row_names_a_token_by_each_thing_that_it_says() {
        let allocated = BTreeMap::from([(RepositoryName::parse("acme/new").unwrap(), "id-2".to_owned())]);
        let names = |revoked: Revoked| revoked.names(&claims(), &allocated);
        for named in [
            Revoked::Subject("alice".to_owned()),
            Revoked::Credential("tok_1".to_owned()),
            Revoked::Credential("tok_1.abc".to_owned()),
            Revoked::Namespace("acme".to_owned()),
            Revoked::Repository("id-1".to_owned()),
            Revoked::Repository("id-2".to_owned()),
        ] {
            assert!(names(named.clone()), "{named:?}");
        }
        for other in [
            Revoked::Subject("alic".to_owned()),
            Revoked::Subject(String::new()),
            Revoked::Credential("tok_1.ab".to_owned()),
            Revoked::Credential("tok_2".to_owned()),
            Revoked::Namespace("other".to_owned()),
            Revoked::Repository("id-3".to_owned()),
        ] {
            assert!(!names(other.clone()), "{other:?}");
        }
    }
}
