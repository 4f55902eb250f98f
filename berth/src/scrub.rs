//! `berth scrub`: reads everything that is stored again.

use crate::instance::storage_folder;
use registry_service::scrub;
use server::{Environment, logging};
use std::path::PathBuf;

/// Where everything is, and how to read it.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder with everything.
    #[arg(long, env = "BERTH_DATA", default_value = "./berth-data")]
    data: PathBuf,
    #[command(flatten)]
    scrub: scrub::ScrubArguments,
}

/// Scrubs, beside a server or without one.
pub async fn scrub(arguments: &Arguments, environment: &Environment) -> anyhow::Result<()> {
    logging::start(environment.get("REGISTRY_LOG_LEVEL").unwrap_or("warn"))?;
    let root = storage_folder(environment, &arguments.data);
    let how = arguments.scrub;
    tokio::task::spawn_blocking(move || scrub::run(how, &root)).await?
}
