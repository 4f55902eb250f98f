//! The registry as a program of its own: any number of them on one storage, with one index or with none.

use clap::Parser;
use registry_service::command::Command;
use std::process::ExitCode;

/// The stateless registry of Berth. Settings come from REGISTRY_* variables, and from a config.yml as Distribution's.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    server::run(async { arguments.command.unwrap_or(Command::Serve { config: None }).run().await })
}
