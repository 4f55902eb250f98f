//! The registry as a program of its own: what its command line asks for.

use crate::config::{self, Settings, SplitSettings};
use crate::store::index::Index;
use crate::store::index_http::HttpIndex;
use crate::{garbage_collect, http, scrub, start};
use anyhow::Context;
use clap::Subcommand;
use server::{Environment, listen, logging};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for the index to write the internal secret on its first start.
const SECRET_PATIENCE: Duration = Duration::from_mins(1);

/// What to do. Settings come from variables, and from a file that is named.
#[derive(Subcommand)]
pub enum Command {
    /// Serve until stopped (the default).
    Serve {
        /// The settings file; variables win over it.
        config: Option<PathBuf>,
    },
    /// Take away what no manifest needs. The registry may go on serving meanwhile.
    GarbageCollect {
        /// What to collect.
        #[command(flatten)]
        collection: garbage_collect::Arguments,
        /// The settings file; variables win over it.
        config: Option<PathBuf>,
    },
    /// Read everything that is stored again, and put aside what is damaged, while serving or not.
    Scrub {
        /// How to read.
        #[command(flatten)]
        scrub: scrub::ScrubArguments,
        /// The settings file; variables win over it.
        config: Option<PathBuf>,
    },
    /// Ask the running registry whether it is ready; exit code 0 if it is.
    Health {
        /// The settings file; variables win over it.
        config: Option<PathBuf>,
    },
}

impl Command {
    /// Does it, to its end.
    pub async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Serve { config } => serve(&environment(config)?).await,
            Self::GarbageCollect { collection, config } => collect(collection, &environment(config)?).await,
            Self::Scrub { scrub, config } => read_again(scrub, &environment(config)?).await,
            Self::Health { config } => health(&environment(config)?).await,
        }
    }
}

fn environment(config: Option<PathBuf>) -> anyhow::Result<Environment> {
    let mut environment = Environment::of_process();
    config::spread_maps(&mut environment)?;
    if let Some(path) = config {
        environment.add_file("REGISTRY", &path)?;
    }
    Ok(environment)
}

async fn serve(environment: &Environment) -> anyhow::Result<()> {
    logging::start(environment.get("REGISTRY_LOG_LEVEL").unwrap_or("info"))?;
    let settings = SplitSettings::from_environment(environment)?;
    let index = match &settings.index_url {
        Some(url) => Some(Arc::new(HttpIndex::new(url, secret(environment).await?)?) as Arc<dyn Index>),
        None => None,
    };
    let tls = settings.common.tls.as_ref().map(server::TlsFiles::load).transpose()?;
    let registry = start::start(&settings.common, index)?;
    let listener = listen::bind(settings.address)?;
    let (is_tls, has_index) = (tls.is_some(), settings.index_url.is_some());
    tracing::info!(address = %settings.address, tls = is_tls, storage = %settings.common.root.display(), "serving");
    let front = settings.common.front();
    listen::run(listener, tls, move |config| {
        http::routes(config, &registry, &front);
        http::health_routes(config, &registry);
        if has_index {
            http::internal_routes(config, &registry);
        }
    })
    .await
}

async fn collect(collection: garbage_collect::Arguments, environment: &Environment) -> anyhow::Result<()> {
    logging::start(environment.get("REGISTRY_LOG_LEVEL").unwrap_or("warn"))?;
    let root = Settings::from_environment(environment)?.root;
    tokio::task::spawn_blocking(move || garbage_collect::run(&collection, &root)).await?
}

async fn read_again(how: scrub::ScrubArguments, environment: &Environment) -> anyhow::Result<()> {
    logging::start(environment.get("REGISTRY_LOG_LEVEL").unwrap_or("warn"))?;
    let root = Settings::from_environment(environment)?.root;
    tokio::task::spawn_blocking(move || scrub::run(how, &root)).await?
}

async fn health(environment: &Environment) -> anyhow::Result<()> {
    let address = config::address(environment)?;
    if environment.get("REGISTRY_HTTP_TLS_CERTIFICATE").is_none() {
        return listen::check_health(address).await;
    }
    // The certificate has the name that clients use; this asks the program on the same machine.
    let client =
        reqwest::Client::builder().danger_accept_invalid_certs(true).no_proxy().timeout(listen::HEALTH_DEADLINE);
    let url = format!("https://{}/readyz", listen::reachable(address));
    let answer = client.build()?.get(url).send().await.context("no answer")?;
    anyhow::ensure!(answer.status().is_success(), "not ready: {}", answer.status());
    Ok(())
}

/// The secret that proves this registry to the index, which may be writing it just now.
async fn secret(environment: &Environment) -> anyhow::Result<String> {
    let begun = std::time::Instant::now();
    loop {
        match environment.secret("REGISTRY_INDEX_SECRET") {
            Ok(Some(secret)) if !secret.is_empty() => return Ok(secret),
            Ok(None) => anyhow::bail!("REGISTRY_INDEX_SECRET is not set, nor REGISTRY_INDEX_SECRET_FILE"),
            Err(error) if begun.elapsed() > SECRET_PATIENCE => return Err(error),
            _ => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}
