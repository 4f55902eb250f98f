//! Berth on one machine: index and registry in one process, on one port, in one folder.
//!
//! Must not hold logic of either service: it puts them together. A library, so that tests run what the program runs.

pub mod admin;
pub mod gc;
mod in_process;
mod instance;
pub mod keys;
pub mod reindex;
pub mod scrub;
pub mod serve;
mod welcome;

pub use in_process::{InProcessIndex, InProcessRegistry};
pub use instance::{Instance, registry_settings};
