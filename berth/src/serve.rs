//! `berth serve`: both services behind one port.

use crate::instance::{Instance, registry_settings};
use crate::welcome;
use index_service::{Settings as IndexSettings, keep_keys, keep_moving};
use server::{Environment, TlsFiles, listen, logging};
use std::net::SocketAddr;
use std::path::PathBuf;

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
    let registry_settings = registry_settings(&mut environment, &index_settings, &arguments.data)?;

    let tls = registry_settings.tls.as_ref().map(TlsFiles::load).transpose()?;
    // The port first: a second start beside a running one then changes nothing.
    let listener = listen::bind(arguments.listen)?;
    let (instance, first_admin) = Instance::open(&index_settings, &registry_settings).await?;
    welcome::print(&index_settings.public_url, arguments.listen, first_admin.as_ref());

    tokio::spawn(keep_moving(instance.mover.clone()));
    tokio::spawn(keep_keys(instance.index.clone()));
    let serving = instance.clone();
    listen::run(listener, tls, move |config| serving.routes(config)).await?;
    instance.index.close().await;
    Ok(())
}
