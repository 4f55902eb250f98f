//! `index-service reset-password` and `berth user reset-password`: another password for an account, with nothing but the
//! index's folder, beside a running index or without one.
//!
//! Must not decide what a reset changes: `domain/admin_users.rs` does.

use crate::config::Settings;
use crate::domain::Index;
use anyhow::Context;
use std::io::{Read, Write, stderr, stdin, stdout};

/// Whose password, and which.
#[derive(Debug, clap::Args)]
pub struct ResetPasswordArguments {
    /// The account's name.
    pub name: String,
    /// Read the new password from standard input. Without this it is a random one, which is printed once.
    #[arg(long)]
    password_stdin: bool,
}

impl ResetPasswordArguments {
    /// The new password, if it is not a random one.
    pub fn given(&self) -> anyhow::Result<Option<String>> {
        self.password_stdin.then(password_of_stdin).transpose()
    }
}

/// Gives the account another password and ends its sessions; prints the password if it is a random one, and nothing else
/// on standard output. An index that runs knows at once.
pub async fn reset_password(arguments: &ResetPasswordArguments, settings: &Settings) -> anyhow::Result<()> {
    let index = Index::open_existing(settings).await?;
    let given = arguments.given()?;
    let random = index.reset_password(&arguments.name, given).await;
    index.close().await;
    if let Some(random) = random? {
        writeln!(stdout(), "{random}")?;
    }
    writeln!(stderr(), "{} has a new password, and is signed out everywhere.", arguments.name)?;
    Ok(())
}

/// All of standard input, without its last line break.
fn password_of_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    stdin().read_to_string(&mut text).context("cannot read the password from standard input")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
