//! The command that looks up why a client was refused.

use super::Call;

#[derive(clap::Subcommand)]
pub enum Decision {
    /// What was asked and granted, and what holds now, by the id that the refused client was told.
    Show { id: String },
}

impl Decision {
    /// The request.
    pub fn call(self) -> Call {
        let Self::Show { id } = self;
        Call::show(&["admin", "decisions", &id])
    }
}
