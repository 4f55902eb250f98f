//! `berth user`: what is done about accounts with nothing but the data folder.

use index_service::{ResetPasswordArguments, Settings as IndexSettings, reset_password};
use server::{Environment, logging};
use std::path::PathBuf;

/// What to do.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Give an account another password and sign it out everywhere, while serving or not.
    ResetPassword(Arguments),
}

/// Where everything is, and whose password is reset.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder with everything.
    #[arg(long, env = "BERTH_DATA", default_value = "./berth-data")]
    data: PathBuf,
    #[command(flatten)]
    reset: ResetPasswordArguments,
}

impl Command {
    /// Does it.
    pub async fn run(&self, mut environment: Environment) -> anyhow::Result<()> {
        let Self::ResetPassword(Arguments { data, reset }) = self;
        environment.or_set("INDEX_DATA", data.to_string_lossy());
        let settings = IndexSettings::read(&environment)?;
        logging::start(environment.get("INDEX_LOG_LEVEL").unwrap_or("warn"))?;
        reset_password(reset, &settings).await
    }
}
