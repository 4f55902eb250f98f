//! Listing repositories. The index knows who may see which; where there is none, everybody sees what lies in storage.

use super::Registry;
use super::refusal::Refusal;
use crate::store::Storage;
use shared::RepositoryName;
use shared::internal::CatalogRequest;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a walk through storage holds. What this process adds is in it at once, what another adds not before this.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Some repositories, in byte order.
#[derive(Debug)]
pub struct CatalogPage {
    /// Their names.
    pub items: Vec<RepositoryName>,
    /// Whether more follow.
    pub more: bool,
}

/// The repositories in storage, as they were a moment ago.
#[derive(Default)]
pub(super) struct CatalogSnapshot {
    state: Mutex<State>,
    /// Held while storage is walked, so that it is walked once for all who wait.
    walking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    names: Arc<BTreeSet<RepositoryName>>,
    walked: Option<Instant>,
    /// During a walk: what was made here meanwhile, which it may have missed.
    made: Option<Vec<RepositoryName>>,
}

impl CatalogSnapshot {
    fn recent(&self) -> Option<Arc<BTreeSet<RepositoryName>>> {
        let state = self.state();
        state.walked.filter(|walked| walked.elapsed() < REMEMBERED).map(|_| Arc::clone(&state.names))
    }

    async fn names(&self, storage: &Storage) -> Result<Arc<BTreeSet<RepositoryName>>, Refusal> {
        if let Some(names) = self.recent() {
            return Ok(names);
        }
        let _walking = self.walking.lock().await;
        if let Some(names) = self.recent() {
            return Ok(names);
        }
        let begun = Instant::now();
        self.state().made = Some(Vec::new());
        let walked = storage.run(Storage::repositories).await;
        let mut state = self.state();
        let made = state.made.take().unwrap_or_default();
        let mut names = walked?;
        names.extend(made);
        state.names = Arc::new(names);
        state.walked = Some(begun);
        Ok(Arc::clone(&state.names))
    }

    fn add(&self, name: &RepositoryName) {
        let mut state = self.state();
        if state.walked.is_some() {
            Arc::make_mut(&mut state.names).insert(name.clone());
        }
        if let Some(made) = &mut state.made {
            made.push(name.clone());
        }
    }

    /// No code panics while it holds this lock.
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// The first `limit` repositories after `after`, in byte order, that `subject` may see from the address `from`.
    pub async fn catalog(
        &self,
        subject: String,
        from: Option<IpAddr>,
        limit: usize,
        after: Option<String>,
    ) -> Result<CatalogPage, Refusal> {
        if limit == 0 {
            return Ok(CatalogPage { items: Vec::new(), more: false });
        }
        let Some(index) = self.index() else { return self.catalog_of_storage(limit, after.as_deref()).await };
        let request = CatalogRequest { subject, from, limit: u32::try_from(limit).unwrap_or(u32::MAX), after };
        let answer = index.catalog(&request).await?;
        Ok(CatalogPage { items: answer.repositories, more: answer.more })
    }

    async fn catalog_of_storage(&self, limit: usize, after: Option<&str>) -> Result<CatalogPage, Refusal> {
        let names = self.parts.catalog.names(self.storage()).await?;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = names.range::<str, _>((from, Bound::Unbounded));
        let items = rest.by_ref().take(limit).cloned().collect();
        Ok(CatalogPage { items, more: rest.next().is_some() })
    }

    /// Makes the repository if it is not there; for a first push where no index allocates names.
    pub(super) async fn make_repository(&self, name: &RepositoryName) -> Result<(), Refusal> {
        let wanted = name.clone();
        let is_new = self.storage().run(move |storage| {
            let is_new = !storage.has_repository(&wanted)?;
            storage.make_repository(&wanted)?;
            Ok(is_new)
        });
        if is_new.await? {
            self.parts.catalog.add(name);
        }
        Ok(())
    }
}
