//! The split program `index-service`: one index behind its own port.
//!
//! Must not hold logic: it reads settings, opens the index, serves.

use clap::{Parser, Subcommand};
use index_service::{
    HttpDoor, Index, KeysCommand, Mover, RegistryDoor, ResetPasswordArguments, Settings, health_routes,
    internal_routes, internal_secret, keep_keys, keep_moving, public_routes, reset_password,
};
use server::{Environment, listen, logging};
use std::process::ExitCode;
use std::sync::Arc;

/// The index of Berth. Settings come from INDEX_* variables.
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
    /// Ask the running index whether it is ready; exit code 0 if it is.
    Health,
    /// Give an account another password and sign it out everywhere, while serving or not.
    ResetPassword(ResetPasswordArguments),
    /// The keys that sign registry tokens: show them, or replace them.
    #[command(subcommand)]
    Keys(KeysCommand),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    server::run(async {
        let environment = Environment::of_process();
        match arguments.command.unwrap_or(Command::Serve) {
            Command::Serve => serve(&environment).await,
            Command::Health => listen::check_health(Settings::read(&environment)?.address).await,
            Command::ResetPassword(arguments) => {
                logging::start(environment.get("INDEX_LOG_LEVEL").unwrap_or("warn"))?;
                reset_password(&arguments, &Settings::read(&environment)?).await
            }
            Command::Keys(command) => command.run(&Settings::read(&environment)?.data),
        }
    })
}

async fn serve(environment: &Environment) -> anyhow::Result<()> {
    let settings = Settings::read(environment)?;
    logging::start(&settings.log_level)?;
    Settings::warn_about_unknown(environment);
    let listener = listen::bind(settings.address)?;
    let secret = internal_secret(&settings)?;
    if secret.is_none() {
        tracing::warn!("no internal secret is set, so no registry can ask this index");
    }
    let door = settings.registry_url.as_deref().map(HttpDoor::new).transpose()?;
    if door.is_none() {
        tracing::warn!("INDEX_REGISTRY_URL is not set, so deleted repositories stay where they are in storage");
    }
    let index = Index::open(&settings).await?;
    if let Some(first_admin) = index.first_admin(&settings).await? {
        let password_file = first_admin.password_file.as_deref().map(std::path::Path::display);
        tracing::info!(
            user = first_admin.user,
            password_file = password_file.map(tracing::field::display),
            "made the first account, an administrator"
        );
    }
    tracing::info!(address = %settings.address, public_url = settings.public_url, "ready");
    let mover = Mover::new(index.clone(), door.map(|door| Arc::new(door) as Arc<dyn RegistryDoor>));
    tokio::spawn(keep_moving(mover.clone()));
    tokio::spawn(keep_keys(index.clone()));
    listen::run(listener, None, move |config| {
        public_routes(config, &mover, &settings.trusted_proxies);
        health_routes(config, mover.index());
        if let Some(secret) = &secret {
            internal_routes(config, mover.index(), secret);
        }
    })
    .await?;
    index.close().await;
    Ok(())
}
