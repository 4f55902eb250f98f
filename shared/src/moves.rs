//! Moves of repositories: what an index wishes of its registries' storage, and the token that says so.
//!
//! A wish is one `POST /internal/v1/move` to any registry, without a body: the index signs it, so that whoever carries it
//! can change nothing of it, and it is good for nothing else. `berth` makes the same call in process. Each wish has a
//! number, and per repository a registry carries out only one with a larger number than it has seen, or the last one again,
//! which is the same only if all of it is: a call may arrive after its caller has given it up.

use crate::name::RepositoryName;
use serde::{Deserialize, Serialize};

/// One wish about one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveRequest {
    /// Larger than that of every earlier wish.
    pub number: u64,
    /// The repository's id.
    pub repository_id: String,
    /// The name that it has, or had before it was put away.
    pub repository: RepositoryName,
    /// What becomes of it.
    #[serde(flatten)]
    pub verb: Move,
}

/// What becomes of a repository in storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Move {
    /// It leaves its name, and keeps all it has.
    PutAway,
    /// It comes back to its name.
    Restore,
    /// What was put away of it goes for good.
    Purge,
    /// It comes to another name, where nothing lies.
    Rename {
        /// The new name.
        to: RepositoryName,
    },
}

/// What came of a wish. Carried out again, it comes to the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum MoveAnswer {
    /// Storage is as wished.
    Done,
    /// Another wish with this number or a larger one was seen before; nothing was done.
    Late {
        /// The number of that one, which the next must exceed.
        number: u64,
    },
    /// It cannot be; nothing was done.
    Refused {
        /// A sentence for the person who wished it.
        reason: String,
    },
}

/// The claims of the token that carries a wish. Times are seconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveClaims {
    /// The index that wishes.
    pub iss: String,
    /// See [`audience`].
    pub aud: String,
    /// Not valid from here on.
    pub exp: u64,
    /// Not valid before.
    pub nbf: u64,
    /// When it was signed.
    pub iat: u64,
    /// Unique.
    pub jti: String,
    /// The wish.
    #[serde(rename = "move")]
    pub request: MoveRequest,
}

/// The audience of such tokens for the registries that are known as `service`: never that of a registry token.
pub fn audience(service: &str) -> String {
    format!("{service} moves")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_written_as_one_flat_object() {
        let to = RepositoryName::parse("acme/new").unwrap();
        let repository = RepositoryName::parse("acme/app").unwrap();
        let request = MoveRequest { number: 7, repository_id: "id".to_owned(), repository, verb: Move::Rename { to } };
        let text = serde_json::to_string(&request).unwrap();
        let wanted = r#"{"number":7,"repository_id":"id","repository":"acme/app","verb":"rename","to":"acme/new"}"#;
        assert_eq!(text, wanted);
        assert_eq!(serde_json::from_str::<MoveRequest>(&text).unwrap(), request);
    }
}
