//! Putting a registry together from its settings, and its background work.

use crate::config::{AdmissionSettings, PurgeSettings, Settings};
use crate::domain::Registry;
use crate::domain::access::AccessControl;
use crate::domain::admission::Admission;
use crate::domain::by_token::Tokens;
use crate::domain::passwords::Passwords;
use crate::domain::revocations::Feed;
use crate::store::Storage;
use crate::store::index::Index;
use anyhow::Context;
use jiff::Timestamp;
use server::follow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// When storage is first looked through for what nobody comes back for.
const FIRST_PURGE: Duration = Duration::from_mins(10);

/// However often a purge is asked for, no more often than this.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// How often leftover intents and moves that were not ended are looked for.
const SETTLE_INTERVAL: Duration = Duration::from_secs(30);

/// Opens a registry and begins its work by timers: settling what a stopped process left, and the purge.
/// Must be called in a Tokio runtime that lives as long as the process.
pub fn start(settings: &Settings, index: Option<Arc<dyn Index>>) -> anyhow::Result<Registry> {
    let registry = open(settings, index)?;
    if !settings.policy.read_only {
        tokio::spawn(settle(registry.clone()));
        if settings.purge.enabled {
            tokio::spawn(purge(registry.clone(), settings.purge));
        }
    }
    Ok(registry)
}

/// Opens the storage and listens to `index`, which is there if the settings ask for tokens. Nothing in storage is changed by a
/// timer.
/// Must be called in a Tokio runtime that outlives all requests.
pub fn open(settings: &Settings, index: Option<Arc<dyn Index>>) -> anyhow::Result<Registry> {
    let admission = admission(&settings.admission, index)?;
    let read_only = settings.policy.read_only;
    let storage = if read_only { Storage::open_read_only(&settings.root) } else { Storage::open(&settings.root) };
    Ok(Registry::new(storage?, admission, settings.policy))
}

fn admission(settings: &AdmissionSettings, index: Option<Arc<dyn Index>>) -> anyhow::Result<Admission> {
    match settings {
        AdmissionSettings::Tokens(tokens) => {
            let index = index.context("tokens are asked for, and there is no index to confirm them")?;
            let feed = Arc::<Feed>::default();
            tokio::spawn(Arc::clone(&feed).follow(Arc::clone(&index)));
            let access = AccessControl::new(&tokens.issuer, &tokens.service, tokens.grace, feed);
            Ok(Admission::Tokens(Box::new(Tokens::new(access, index))))
        }
        AdmissionSettings::Htpasswd { path, .. } => passwords(path).map(Admission::Passwords),
        AdmissionSettings::Open => {
            tracing::warn!(
                "THIS REGISTRY IS OPEN: nothing says who is let in, so whoever reaches it reads, writes and deletes \
                 everything; REGISTRY_AUTH_HTPASSWD_PATH or an index closes it"
            );
            Ok(Admission::Open)
        }
    }
}

/// The people of the file at `path`, which is read again when it changes.
fn passwords(path: &Path) -> anyhow::Result<Arc<Passwords>> {
    let paths = vec![path.to_owned()];
    let content = follow::read_all(&paths).context("the password file")?;
    let passwords = Arc::new(Passwords::new());
    passwords.replace(&content.concat());
    let changing = Arc::clone(&passwords);
    tokio::spawn(follow::follow(paths, content, move |changed| match changed {
        Ok(content) => {
            changing.replace(&content.concat());
            tracing::info!("the password file was read again");
        }
        Err(error) => {
            changing.close();
            tracing::error!(%error, "nobody is let in until the password file can be read");
        }
    }));
    Ok(passwords)
}

async fn settle(registry: Registry) {
    let mut timer = tokio::time::interval(SETTLE_INTERVAL);
    loop {
        timer.tick().await;
        if let Err(refusal) = registry.settle_leftovers().await {
            tracing::warn!(error = %refusal, "leftover intents cannot be listed");
        }
        if let Err(refusal) = registry.complete_moves().await {
            tracing::warn!(error = %refusal, "moves that were not ended cannot be listed");
        }
    }
}

/// A replica that starts late purges late, and two at once do each other no harm.
async fn purge(registry: Registry, settings: PurgeSettings) {
    let interval = settings.interval.max(SHORTEST_INTERVAL);
    // Not at once: who starts has better things to do with the disk.
    let mut timer = tokio::time::interval_at(Instant::now() + interval.min(FIRST_PURGE), interval);
    loop {
        timer.tick().await;
        let Ok(before) = Timestamp::now().checked_sub(settings.age) else { continue };
        match registry.purge(before, settings.dry_run).await {
            Ok(purged) => tracing::info!(
                uploads = purged.uploads,
                files = purged.files,
                dry_run = settings.dry_run,
                "looked for uploads that nobody finished"
            ),
            Err(refusal) => tracing::warn!(error = %refusal, "uploads that nobody finished cannot be removed"),
        }
    }
}
