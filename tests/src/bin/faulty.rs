//! Berth with fail points, as a process: what tests start, kill and start again. Everything lies in the folder in
//! `BERTH_DATA`, and it does what `BERTH_FAULTS` says. It listens on the address in `BERTH_LISTEN`.

use berth::{admin, gc, keys, reindex, scrub, serve};
use clap::{Parser, Subcommand};
use registry_service::command;
use registry_service::config::SplitSettings;
use registry_service::store::index::Index;
use registry_service::store::index_http::HttpIndex;
use registry_service::{http, start};
use server::{Environment, listen};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Parser)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Arguments,
}

#[derive(Subcommand)]
enum Command {
    /// As `berth gc`.
    Gc(gc::Arguments),
    /// As `berth keys`.
    Keys(keys::Arguments),
    /// As `berth reindex`.
    Reindex(reindex::Arguments),
    /// As `berth scrub`.
    Scrub(scrub::Arguments),
    #[command(flatten)]
    Admin(admin::Command),
    /// What a server does by timer, at once and however young it is: removes unfinished uploads and temporary files.
    Purge,
    /// A registry as one of several on the same folder; without an index, unless the variables name one.
    Registry,
    /// As the program `registry-service`.
    #[command(subcommand)]
    Service(command::Command),
}

fn main() -> ExitCode {
    let arguments = CommandLine::parse();
    let environment = Environment::of_process();
    match arguments.command {
        None => server::run(serve::serve(&arguments.serve, environment)),
        Some(Command::Gc(arguments)) => server::run(gc::gc(&arguments, &environment)),
        Some(Command::Keys(arguments)) => server::run(async move { keys::keys(&arguments, environment) }),
        Some(Command::Reindex(arguments)) => server::run(reindex::reindex(&arguments, environment)),
        Some(Command::Scrub(arguments)) => server::run(scrub::scrub(&arguments, &environment)),
        Some(Command::Admin(command)) => server::run(admin::run(command, environment)),
        Some(Command::Purge) => server::run(purge(&environment)),
        Some(Command::Service(command)) => server::run(command.run()),
        Some(Command::Registry) => server::run(registry(environment)),
    }
}

async fn purge(environment: &Environment) -> anyhow::Result<()> {
    let data = Path::new(environment.get("BERTH_DATA").unwrap_or_default());
    tests::purge(&data.join("registry")).await?;
    Ok(())
}

async fn registry(mut environment: Environment) -> anyhow::Result<()> {
    let root = format!("{}/registry", environment.get("BERTH_DATA").unwrap_or_default());
    environment.set("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", &root);
    let settings = SplitSettings::from_environment(&environment)?;
    let secret = environment.secret("REGISTRY_INDEX_SECRET")?.unwrap_or_default();
    let index = settings.index_url.as_deref().map(|url| HttpIndex::new(url, secret)).transpose()?;
    let has_index = index.is_some();
    let registry = start::start(&settings.common, index.map(|index| Arc::new(index) as Arc<dyn Index>))?;
    let listener = listen::bind(environment.get("BERTH_LISTEN").unwrap_or_default().parse()?)?;
    let front = settings.common.front();
    listen::run(listener, None, move |config| {
        http::routes(config, &registry, &front);
        if has_index {
            http::internal_routes(config, &registry);
        }
    })
    .await
}
