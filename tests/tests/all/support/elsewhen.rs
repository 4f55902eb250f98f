//! Registries that go by another time of day than everybody else.

use super::clock::Clock;
use super::program::Program;
use super::stack::Stack;
use std::path::Path;

/// A registry, and the clock by which it goes.
pub struct Elsewhen {
    pub program: Program,
    pub clock: Clock,
}

impl Elsewhen {
    /// One on the storage of `stack`, so many seconds ahead or behind.
    pub async fn start(stack: &Stack, ahead: i64, settings: &[(&str, &str)]) -> Self {
        let clock = Clock::off_by(ahead);
        let variables = clock.variables();
        let program = Program::start_beside(stack, &[&borrowed(&variables)[..], settings].concat()).await;
        Self { program, clock }
    }

    /// The same without an index, in `data`.
    pub async fn start_alone(data: &Path, ahead: i64) -> Self {
        let clock = Clock::off_by(ahead);
        let variables = clock.variables();
        let program = Program::start_registry(data, &borrowed(&variables)).await;
        Self { program, clock }
    }
}

impl Drop for Elsewhen {
    fn drop(&mut self) {
        self.program.kill();
        Clock::forget(self.program.id());
    }
}

/// Variables as a process is started with them.
fn borrowed(variables: &[(String, String)]) -> Vec<(&str, &str)> {
    variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
