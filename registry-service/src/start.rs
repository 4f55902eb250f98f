//! Putting a registry together from its settings, and its background work.

use crate::config::Settings;
use crate::domain::Registry;
use crate::domain::access::AccessControl;
use crate::store::Storage;
use crate::store::index::Index;
use std::sync::Arc;
use std::time::Duration;

/// How often leftover intents are looked for.
const SETTLE_INTERVAL: Duration = Duration::from_secs(30);

/// Opens the storage and begins settling what a stopped process left. Must be called in a Tokio runtime that lives as
/// long as the process.
pub fn start(settings: &Settings, index: Arc<dyn Index>) -> anyhow::Result<Registry> {
    let storage = Storage::open(&settings.root)?;
    let access = AccessControl::new(&settings.issuer, &settings.challenge.service, settings.grace);
    let registry = Registry::new(storage, index, access);
    tokio::spawn(settle(registry.clone()));
    Ok(registry)
}

async fn settle(registry: Registry) {
    let mut timer = tokio::time::interval(SETTLE_INTERVAL);
    loop {
        timer.tick().await;
        if let Err(refusal) = registry.settle_leftovers().await {
            tracing::warn!(error = %refusal, "leftover intents cannot be listed");
        }
    }
}
