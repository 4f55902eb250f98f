//! Commands about where one is signed in with a browser.

use super::Call;

#[derive(clap::Subcommand)]
pub enum Session {
    /// Where you are signed in with a browser.
    List,
    /// Sign out in one place, by its id.
    End { id: String },
    /// Sign out everywhere.
    EndAll,
}

impl Session {
    /// The request.
    pub fn call(self) -> Call {
        let all = ["user", "sessions"];
        match self {
            Self::List => Call::list(&all, &["id", "user_agent", "last_used_at", "last_used_from", "ends_at"]),
            Self::End { id } => Call::delete(&["user", "sessions", &id]),
            Self::EndAll => Call::delete(&all),
        }
    }
}
