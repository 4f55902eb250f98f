//! `berth keys`: the keys that sign registry tokens.

use index_service::{KeysCommand, Settings};
use server::Environment;
use std::path::PathBuf;

/// Where everything is, and what to do.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder with everything.
    #[arg(long, env = "BERTH_DATA", default_value = "./berth-data")]
    data: PathBuf,
    #[command(subcommand)]
    command: KeysCommand,
}

/// Shows or changes them, beside a server or without one.
pub fn keys(arguments: &Arguments, mut environment: Environment) -> anyhow::Result<()> {
    environment.or_set("INDEX_DATA", arguments.data.to_string_lossy());
    arguments.command.run(&Settings::read(&environment)?.data)
}
