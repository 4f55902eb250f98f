//! The program `berth`: reads the command line and runs what it names.
//!
//! Must not put anything together itself: the library does.

use berth::{admin, gc, keys, reindex, scrub, serve};
use clap::{Parser, Subcommand};
use server::Environment;
use std::process::ExitCode;

/// A private container registry: accounts, organisations, permissions, search and storage in one program.
#[derive(Parser)]
#[command(version, after_help = admin::EXIT_CODES)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Arguments,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until stopped; this is also what `berth` alone does.
    Serve(serve::Arguments),
    /// Take away what no manifest needs, while serving or not.
    Gc(gc::Arguments),
    /// The keys that sign registry tokens: show them, or replace them.
    Keys(keys::Arguments),
    /// Make the index fit what is stored, while serving or not.
    Reindex(reindex::Arguments),
    /// Read everything that is stored again, and put aside what is damaged, while serving or not.
    Scrub(scrub::Arguments),
    #[command(flatten)]
    Admin(admin::Command),
}

fn main() -> ExitCode {
    server::run(run(CommandLine::parse()))
}

async fn run(arguments: CommandLine) -> anyhow::Result<()> {
    let mut environment = Environment::of_process();
    registry_service::config::spread_maps(&mut environment)?;
    match arguments.command.unwrap_or(Command::Serve(arguments.serve)) {
        Command::Serve(arguments) => serve::serve(&arguments, environment).await,
        Command::Gc(arguments) => gc::gc(&arguments, &environment).await,
        Command::Keys(arguments) => keys::keys(&arguments, environment),
        Command::Reindex(arguments) => reindex::reindex(&arguments, environment).await,
        Command::Scrub(arguments) => scrub::scrub(&arguments, &environment).await,
        Command::Admin(command) => admin::run(command, environment).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }
}
