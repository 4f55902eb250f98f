//! Commands for whoever was invited.

use super::{Call, line_of_stdin};

#[derive(clap::Subcommand)]
pub enum Invitation {
    /// What it offers; its secret is read from standard input: `berth_inv_…`, the end of the link.
    Show,
    /// Accept it, so that you join the organisation; its secret is read from standard input.
    Accept,
    /// Decline it, so that nobody can accept it; its secret is read from standard input.
    Decline,
}

impl Invitation {
    /// The request.
    pub fn call(self) -> anyhow::Result<Call> {
        let secret = line_of_stdin("the invitation's secret")?;
        Ok(match self {
            Self::Show => Call::show(&["invitations", &secret]),
            Self::Accept => Call::order(&["invitations", &secret, "accept"]),
            Self::Decline => Call::order(&["invitations", &secret, "decline"]),
        })
    }
}
