//! Berth on one machine: index and registry in one process, on one port, in one folder.
//!
//! Must not hold logic of either service: it reads the command line and puts them together.

mod in_process;
mod serve;
mod welcome;

use anyhow::Context;
use clap::{Parser, Subcommand};
use server::Environment;
use std::process::ExitCode;

/// A password's check takes 19 MiB for a moment; glibc's allocator keeps that much for every thread that ever did one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A private container registry: accounts, organisations, permissions, search and storage in one program.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Arguments,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until stopped; this is also what `berth` alone does.
    Serve(serve::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Command::Serve(serve) = arguments.command.unwrap_or(Command::Serve(arguments.serve));
    let result = tokio::runtime::Runtime::new()
        .context("cannot start")
        .and_then(|runtime| runtime.block_on(serve::serve(&serve, Environment::of_process())));
    server::exit_code(result)
}
