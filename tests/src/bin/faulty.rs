//! `berth serve` with fail points: what tests start, kill and start again. Listens on the address in `BERTH_LISTEN`, keeps
//! everything in the folder in `BERTH_DATA`, and does what `BERTH_FAULTS` says.

use berth::serve;
use clap::Parser;
use server::Environment;
use std::process::ExitCode;

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    serve: serve::Arguments,
}

fn main() -> ExitCode {
    server::run(serve::serve(&Program::parse().serve, Environment::of_process()))
}
