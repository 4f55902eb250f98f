//! `berth serve`: both services behind one port.

use crate::in_process::InProcessIndex;
use crate::welcome;
use index_service::{Index, Settings as IndexSettings};
use registry_service::config::Settings as RegistrySettings;
use registry_service::{http, start};
use server::{Environment, listen, logging};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Where to listen and where to keep everything. The `INDEX_*` and `REGISTRY_*` variables hold too.
#[derive(clap::Args)]
pub struct Arguments {
    /// Address and port to listen on.
    #[arg(long, env = "BERTH_LISTEN", default_value = "127.0.0.1:5000")]
    listen: SocketAddr,
    /// The folder with everything: database, keys, and stored content under `registry/`.
    #[arg(long, env = "BERTH_DATA", default_value = "./berth-data")]
    data: PathBuf,
}

/// Serves until the process is told to stop.
pub async fn serve(arguments: &Arguments, mut environment: Environment) -> anyhow::Result<()> {
    environment.or_set("INDEX_DATA", arguments.data.to_string_lossy());
    environment.set("INDEX_HTTP_ADDR", arguments.listen.to_string());
    let index_settings = IndexSettings::read(&environment)?;
    logging::start(&index_settings.log_level)?;
    IndexSettings::warn_about_unknown(&environment);

    environment.or_set("REGISTRY_AUTH_TOKEN_REALM", format!("{}/token", index_settings.public_url));
    environment.or_set("REGISTRY_AUTH_TOKEN_SERVICE", index_settings.service.clone());
    environment.or_set("REGISTRY_AUTH_TOKEN_ISSUER", index_settings.issuer.clone());
    environment.or_set("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", arguments.data.join("registry").to_string_lossy());
    let registry_settings = RegistrySettings::from_environment(&environment)?;

    // The port first: a second start beside a running one then changes nothing.
    let listener = listen::bind(arguments.listen)?;
    let (index, first_admin) = Index::open(&index_settings).await?;
    let registry = start::start(&registry_settings, Arc::new(InProcessIndex::new(index.clone())))?;
    welcome::print(&index_settings.public_url, arguments.listen, first_admin.as_ref());

    let challenge = registry_settings.challenge;
    let serving = index.clone();
    listen::run(listener, move |config| {
        http::routes(config, &registry, &challenge);
        index_service::public_routes(config, &serving);
        index_service::health_routes(config, &serving);
    })
    .await?;
    index.close().await;
    Ok(())
}
