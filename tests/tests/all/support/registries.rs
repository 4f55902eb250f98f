//! Registries on one storage and with one index, as many as wanted, and what a start of one does with what others left.

use super::host::Host;
use super::stack::{free_port, serve};
use super::unsteady_index::{Call, UnsteadyIndex};
use berth::InProcessIndex;
use registry_service::config::Settings;
use registry_service::store::index::Index;
use registry_service::{http, start};
use std::path::Path;
use std::sync::Arc;

/// What all of them have in common.
#[derive(Clone)]
pub struct Registries {
    settings: Arc<Settings>,
    index: index_service::Index,
}

impl Registries {
    pub fn new(settings: Settings, index: index_service::Index) -> Self {
        Self { settings: Arc::new(settings), index }
    }

    /// The same on another storage folder.
    pub fn on(&self, root: &Path) -> Self {
        Self::new(Settings { root: root.to_owned(), ..(*self.settings).clone() }, self.index.clone())
    }

    /// The storage folder.
    pub fn root(&self) -> &Path {
        &self.settings.root
    }

    /// Settles what stopped writers left, as the next start of a registry does. In a runtime of its own, with which it stops
    /// listening to the index: a test that settles hundreds of times would otherwise wait for hundreds of listeners.
    pub async fn settle(&self) -> anyhow::Result<()> {
        let (settings, index) = (self.settings.clone(), Arc::new(self.index()));
        let unsettled = |refusal| anyhow::anyhow!("{refusal}");
        // On a thread that a test may stop.
        let settled = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let settled = runtime.block_on(async {
                let registry = start::open(&settings, Some(index))?;
                registry.settle_leftovers().await.map_err(unsettled)?;
                registry.complete_moves().await.map_err(unsettled)
            });
            runtime.shutdown_background();
            settled
        });
        settled.await?
    }

    /// One more registry.
    pub fn replica(&self) -> Host {
        self.serve(Arc::new(self.index()))
    }

    /// One more registry, whose calls to the index can be made to fail; this one fails from its start.
    pub fn unsteady_replica(&self, failing: Option<Call>) -> (Host, Arc<UnsteadyIndex>) {
        let index = Arc::new(UnsteadyIndex::new(self.index()));
        index.fail(failing);
        (self.serve(index.clone()), index)
    }

    fn index(&self) -> InProcessIndex {
        InProcessIndex::new(self.index.clone())
    }

    fn serve(&self, index: Arc<dyn Index>) -> Host {
        let (listener, address) = free_port();
        let registry = start::start(&self.settings, Some(index)).unwrap();
        let front = self.settings.front();
        serve(listener, move |config| {
            http::routes(config, &registry, &front);
            http::internal_routes(config, &registry);
        });
        Host::new(address)
    }
}
