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
    let arguments = CommandLine::parse();
    let environment = Environment::of_process();
    match arguments.command.unwrap_or(Command::Serve(arguments.serve)) {
        Command::Serve(arguments) => server::run(serve::serve(&arguments, environment)),
        Command::Gc(arguments) => server::run(gc::gc(&arguments, &environment)),
        Command::Keys(arguments) => server::run(async move { keys::keys(&arguments, environment) }),
        Command::Reindex(arguments) => server::run(reindex::reindex(&arguments, environment)),
        Command::Scrub(arguments) => server::run(scrub::scrub(&arguments, &environment)),
        Command::Admin(command) => server::run(admin::run(command, environment)),
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
