//! The program `berth`: reads the command line and runs what it names.
//!
//! Must not put anything together itself: the library does.

use berth::{gc, serve};
use clap::{Parser, Subcommand};
use server::Environment;
use std::process::ExitCode;

/// A private container registry: accounts, organisations, permissions, search and storage in one program.
#[derive(Parser)]
#[command(version)]
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
}

fn main() -> ExitCode {
    let arguments = CommandLine::parse();
    let environment = Environment::of_process();
    match arguments.command.unwrap_or(Command::Serve(arguments.serve)) {
        Command::Serve(arguments) => server::run(serve::serve(&arguments, environment)),
        Command::Gc(arguments) => server::run(gc::gc(&arguments, &environment)),
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
