//! The verbs: what a registry does, in order. Knows no HTTP, no path of a file, and no time of day, which is passed in.

pub mod access;
pub mod admission;
pub mod blobs;
pub mod catalog;
pub mod keys;
mod locking;
pub mod manifest_deletes;
pub mod manifests;
pub mod pushes;
pub mod referrers;
pub mod refusal;
pub mod settle;
pub mod tags;
mod under_intents;
pub mod uploads;

use crate::store::Storage;
use crate::store::index::Index;
use access::AccessControl;
use manifests::ManifestCache;
use shared::RepositoryName;
use std::sync::Arc;

/// A registry: its storage, its index, and what it remembers of both. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    parts: Arc<Parts>,
}

struct Parts {
    storage: Storage,
    index: Arc<dyn Index>,
    access: AccessControl,
    manifests: ManifestCache,
    /// Held while the entries of a repository's referrers are completed.
    completing_referrers: tokio::sync::Mutex<()>,
    /// Verbs that have published an intent run here, so that no disconnect of a client and no end of a worker's
    /// connection drops them halfway.
    runtime: tokio::runtime::Handle,
}

/// A repository as a confirmed token names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its name, on the wire and on disk.
    pub name: RepositoryName,
    /// Its id in the index.
    pub id: String,
}

impl Registry {
    /// A registry on `storage` that asks `index`. Must be called within a Tokio runtime that outlives all requests.
    pub fn new(storage: Storage, index: Arc<dyn Index>, access: AccessControl) -> Self {
        let runtime = tokio::runtime::Handle::current();
        let (manifests, completing_referrers) = (ManifestCache::new(), tokio::sync::Mutex::default());
        let parts = Parts { storage, index, access, manifests, completing_referrers, runtime };
        Self { parts: Arc::new(parts) }
    }

    /// Where the bytes are.
    pub fn storage(&self) -> &Storage {
        &self.parts.storage
    }

    fn index(&self) -> &dyn Index {
        self.parts.index.as_ref()
    }

    fn access(&self) -> &AccessControl {
        &self.parts.access
    }
}

impl Registry {
    /// Whether storage can be written and the index answers.
    pub async fn check(&self) -> Result<(), refusal::Refusal> {
        self.storage().run(Storage::check).await?;
        self.index().keys().await?;
        Ok(())
    }
}
