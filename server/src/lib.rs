//! The frame both services run in: environment, logging, listener, signals, request spans, clients' addresses, calls between them.
//!
//! Must not know a route, a row or a blob. It exists because three programs (`berth`, `index-service`,
//! `registry-service`) need the same frame and `shared` does no I/O.

mod body;
pub mod calls;
mod client;
mod connection;
pub mod environment;
pub mod follow;
mod head;
pub mod listen;
pub mod logging;
mod paced;
mod settings_file;
mod span;
mod tls;

pub use client::client_address;
pub use environment::Environment;
pub use head::answer_head;
pub use tls::TlsFiles;

const IDLE_THREAD: std::time::Duration = std::time::Duration::from_secs(2);

/// The allocator of every program that links this. A password's check takes 19 MiB for a moment, and glibc keeps that much
/// for every thread that ever did one. Without huge pages: an idle server stays half the size.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs a program to its end.
///
/// A blocking thread that has nothing to do ends soon: only then does the allocator give back what a password's check took.
pub fn run(program: impl Future<Output = anyhow::Result<()>>) -> std::process::ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_keep_alive(IDLE_THREAD).build();
    exit_code(runtime.map_err(anyhow::Error::new).and_then(|runtime| runtime.block_on(program)))
}

/// A failure that ends the program with an exit code of its own. With every other that is 1.
#[derive(Debug, thiserror::Error)]
#[error("{said}")]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What went wrong, for people.
    pub said: String,
}

/// A program's end: nothing on success, else one line on standard error and a code that is not 0.
fn exit_code(result: anyhow::Result<()>) -> std::process::ExitCode {
    use std::io::Write;
    let Err(error) = result else { return std::process::ExitCode::SUCCESS };
    // Nobody is left to be told when this cannot be written.
    let _ = writeln!(std::io::stderr(), "error: {error:#}");
    std::process::ExitCode::from(error.downcast_ref::<Failure>().map_or(1, |failure| failure.code))
}
