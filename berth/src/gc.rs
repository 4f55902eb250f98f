//! `berth gc`: takes away what no manifest needs.

use crate::instance::storage_folder;
use registry_service::gc;
use server::{Environment, logging};
use std::path::PathBuf;

/// Where everything is, and what to collect.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder with everything.
    #[arg(long, env = "BERTH_DATA", default_value = "./berth-data")]
    data: PathBuf,
    #[command(flatten)]
    collection: gc::CollectionArguments,
}

/// Collects, beside a server or without one.
pub async fn gc(arguments: &Arguments, environment: &Environment) -> anyhow::Result<()> {
    logging::start(environment.get("REGISTRY_LOG_LEVEL").unwrap_or("warn"))?;
    let root = storage_folder(environment, &arguments.data);
    let collection = arguments.collection.clone();
    tokio::task::spawn_blocking(move || gc::run(&collection, &root)).await??;
    Ok(())
}
