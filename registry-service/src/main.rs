//! The registry as a program of its own: any number of them on one storage, with one index or with none.

use clap::{Parser, Subcommand};
use registry_service::config::{self, SplitSettings};
use registry_service::store::index::Index;
use registry_service::store::index_http::HttpIndex;
use registry_service::{http, start};
use server::{Environment, listen, logging};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for the index to write the internal secret on its first start.
const SECRET_PATIENCE: Duration = Duration::from_mins(1);

/// The stateless registry of Berth. Settings come from REGISTRY_* variables.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until stopped (the default).
    Serve,
    /// Ask the running registry whether it is ready; exit code 0 if it is.
    Health,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    server::run(async {
        let environment = Environment::of_process();
        match arguments.command.unwrap_or(Command::Serve) {
            Command::Serve => serve(&environment).await,
            Command::Health => listen::check_health(config::address(&environment)?).await,
        }
    })
}

async fn serve(environment: &Environment) -> anyhow::Result<()> {
    logging::start(environment.get("REGISTRY_LOG_LEVEL").unwrap_or("info"))?;
    let settings = SplitSettings::from_environment(environment)?;
    let index = match &settings.index_url {
        Some(url) => Some(Arc::new(HttpIndex::new(url, secret(environment).await?)?) as Arc<dyn Index>),
        None => None,
    };
    let registry = start::start(&settings.common, index)?;
    let listener = listen::bind(settings.address)?;
    tracing::info!(address = %settings.address, storage = %settings.common.root.display(), "serving");
    let front = settings.common.front();
    listen::run(listener, move |config| {
        http::routes(config, &registry, &front);
        http::health_routes(config, &registry);
    })
    .await
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
