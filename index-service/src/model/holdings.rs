//! What the index believes that storage holds, and what becomes of a repository that is found there.

use shared::{Digest, RepositoryName, Tag};
use std::collections::{BTreeMap, BTreeSet};

/// Manifests and tags of one repository, as registries told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Manifests that are there.
    pub manifests: BTreeSet<Digest>,
    /// Where tags point.
    pub tags: BTreeMap<Tag, Digest>,
}

/// A repository found in storage.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    /// Its name.
    pub name: &'a RepositoryName,
    /// The id that lies with it; `None` if a peer wrote it.
    pub id: Option<&'a str>,
    /// Whether it may be given to whoever has its namespace.
    pub give: bool,
    /// Whether it lies put away: then it is known as deleted, from the moment at which it was found.
    pub is_deleted: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adoption {
    /// The index knew it, with this id.
    Known(String),
    /// The index knows it from now on, with this id.
    Adopted(String),
    /// It is left as it is: for this reason.
    Left(WhyLeft),
}

/// Why a repository found in storage is not taken into the index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhyLeft {
    /// The namespace is another's, who must not get it by chance.
    #[error("namespace {0} belongs to somebody else; --give {0} puts what is found there into it")]
    NotOurs(String),
    /// The name was given away again.
    #[error("the name belongs to a later repository; rename or remove what lies there by hand")]
    NameTaken,
    /// The id is known under another name.
    #[error("the index knows it as {0}; rename it there by hand")]
    OtherName(String),
    /// The first part of the name is held, or is the name of a repository.
    #[error("there can be no namespace {0}: the name is reserved or held, or a repository has it")]
    NoNamespace(String),
    /// A namespace has the whole name.
    #[error("a namespace has this name")]
    IsNamespace,
}
