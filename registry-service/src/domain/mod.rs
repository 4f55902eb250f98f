//! The verbs: what a registry does, in order. Knows no HTTP, no path of a file, and no time of day, which is passed in.

pub mod access;
pub mod admission;
pub mod blobs;
pub mod by_token;
pub mod catalog;
pub mod collector;
pub mod contents;
pub mod keys;
mod locking;
pub mod manifest_deletes;
pub mod manifests;
pub mod passwords;
pub mod purge;
pub mod pushes;
pub mod referrers;
pub mod refusal;
pub mod reindex;
mod repository_moves;
pub mod revocations;
pub mod scrub;
pub mod settle;
pub mod tags;
mod under_intents;
pub mod uploads;

use crate::store::Storage;
use crate::store::index::Index;
use admission::Admission;
use catalog::CatalogSnapshot;
use contents::ContentCache;
use refusal::{Deletable, Refusal};
use shared::RepositoryName;
use std::sync::Arc;

/// A registry: its storage, who is let in, and what it remembers. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    parts: Arc<Parts>,
}

struct Parts {
    storage: Storage,
    admission: Admission,
    policy: Policy,
    contents: ContentCache,
    /// Held while the entries of a repository's referrers are completed.
    completing_referrers: tokio::sync::Mutex<()>,
    catalog: CatalogSnapshot,
    /// Verbs that have published an intent run here, so that no disconnect of a client and no end of a worker's
    /// connection drops them halfway.
    runtime: tokio::runtime::Handle,
}

/// What clients may do at all, whoever they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether anything can be deleted.
    pub deletes: bool,
    /// Whether only reads are served.
    pub read_only: bool,
}

/// A repository as the client was admitted to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its name, on the wire and on disk.
    pub name: RepositoryName,
    /// Its id in the index; `None` where there is no index: then the name is all that it has.
    pub id: Option<String>,
}

impl Registry {
    /// A registry on `storage`. Must be called within a Tokio runtime that outlives all requests.
    pub fn new(storage: Storage, admission: Admission, policy: Policy) -> Self {
        let parts = Parts {
            storage,
            admission,
            policy,
            contents: ContentCache::new(),
            catalog: CatalogSnapshot::default(),
            completing_referrers: tokio::sync::Mutex::default(),
            runtime: tokio::runtime::Handle::current(),
        };
        Self { parts: Arc::new(parts) }
    }

    /// Where the bytes are.
    pub fn storage(&self) -> &Storage {
        &self.parts.storage
    }

    /// The index, if this registry has one.
    fn index(&self) -> Option<&dyn Index> {
        self.parts.admission.index()
    }
}

impl Registry {
    /// Whether storage can be written, or read where that is all that is asked for, and the index, if there is one, answers.
    pub async fn check(&self) -> Result<(), Refusal> {
        let look = if self.parts.policy.read_only { Storage::check_readable } else { Storage::check };
        self.storage().run(look).await?;
        if let Some(index) = self.index() {
            index.keys().await?;
        }
        Ok(())
    }

    fn require_writable(&self) -> Result<(), Refusal> {
        if self.parts.policy.read_only { Err(Refusal::ReadOnly) } else { Ok(()) }
    }

    fn require_deletes(&self, of: Deletable) -> Result<(), Refusal> {
        if self.parts.policy.deletes { Ok(()) } else { Err(Refusal::DeletesDisabled(of)) }
    }
}
