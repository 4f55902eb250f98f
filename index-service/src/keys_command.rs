//! The commands about the keys that sign registry tokens: `list`, `rotate` and `bundle`. They need the data folder alone, and
//! a running index takes notice by itself.
//!
//! Must not hold rules: `domain/keys.rs` does.

use crate::open::token_keys;
use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use std::io::{Write, stdout};
use std::path::Path;

/// What to do with the keys.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum KeysCommand {
    /// Show each key: its id, from when on it signs, and what it does now.
    List,
    /// Make a new key, which is published now and signs later; the one before stays published until its last token is over.
    Rotate {
        /// When the new key begins to sign. Registries with a file of keys of their own need the new file before that.
        #[arg(long, default_value = "24h", value_name = "DURATION")]
        after: SignedDuration,
        /// Sign with the new key at once and withdraw every other, as when one was stolen: all tokens end now.
        #[arg(long, conflicts_with = "after")]
        now: bool,
    },
    /// Print the keys' certificates in PEM, for `rootcertbundle` of a registry 2.x.
    Bundle,
}

impl KeysCommand {
    /// Does it with the keys in the data folder.
    pub fn run(&self, data: &Path) -> anyhow::Result<()> {
        let (keys, now) = (token_keys(data)?, Timestamp::now());
        match self {
            Self::List => {}
            Self::Rotate { now: true, .. } => keys.withdraw_others(now)?,
            Self::Rotate { after, .. } => {
                let signs_from = now.checked_add(*after).context("--after is too far away")?;
                keys.rotate(signs_from, now)?;
            }
            Self::Bundle => return Ok(stdout().write_all(keys.bundle(now)?.as_bytes())?),
        }
        for key in keys.list(now)? {
            writeln!(stdout(), "{}  {:.0}  {}", key.id, key.signs_from, key.state)?;
        }
        Ok(())
    }
}
