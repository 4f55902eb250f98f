//! Commands about accounts and about one's own access tokens.

use super::{Call, said};
use anyhow::Context;
use serde_json::{Value, json};
use std::io::BufRead;

#[derive(clap::Subcommand)]
pub enum User {
    /// All accounts.
    List,
    /// One account.
    Show { name: String },
    /// Make an account; the password is read from standard input, up to the end of the line.
    Create {
        name: String,
        /// It administers the instance.
        #[arg(long)]
        admin: bool,
    },
    /// End everything that the account may do, until it is enabled.
    Disable { name: String },
    /// Let it do again what it may.
    Enable { name: String },
}

impl User {
    /// The request.
    pub fn call(self) -> anyhow::Result<Call> {
        let disabled =
            |name: &str, disabled: bool| Call::patch(&["admin", "users", name], json!({ "disabled": disabled }));
        Ok(match self {
            Self::List => Call::list(&["admin", "users"], &["name", "is_admin", "disabled", "created_at"]),
            Self::Show { name } => Call::show(&["admin", "users", &name]),
            Self::Create { name, admin } => {
                let account = json!({ "name": name, "password": read_password()?, "is_admin": admin });
                Call::post(&["admin", "users"], account)
            }
            Self::Disable { name } => disabled(&name, true),
            Self::Enable { name } => disabled(&name, false),
        })
    }
}

fn read_password() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("cannot read the password from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[derive(clap::Subcommand)]
pub enum Token {
    /// Your access tokens.
    List,
    /// One of them, by its id.
    Show { id: String },
    /// Make one; its secret is printed once.
    Create {
        name: String,
        /// Where it opens something, and what at most, as `acme=read` or `acme/app=write`. May be repeated; without it, it
        /// opens what you may.
        #[arg(long, value_name = "WHERE=ROLE")]
        limit: Vec<String>,
        /// When it ends, as 2027-01-31T00:00:00Z. Default: never.
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
    },
    /// Give it another secret, which is printed once.
    Rotate {
        id: String,
        /// Seconds for which the secret before goes on.
        #[arg(long, default_value_t = 0, value_name = "SECONDS")]
        overlap: u32,
    },
    /// End it.
    Delete { id: String },
}

impl Token {
    /// The request.
    pub fn call(self) -> anyhow::Result<Call> {
        Ok(match self {
            Self::List => {
                Call::list(&["user", "tokens"], &["id", "name", "limits", "expires_at", "last_used_at", "created_at"])
            }
            Self::Show { id } => Call::show(&["user", "tokens", &id]),
            Self::Create { name, limit, expires_at } => {
                let limits: Option<Vec<Value>> = match &limit[..] {
                    [] => None,
                    some => Some(some.iter().map(|text| limited(text)).collect::<anyhow::Result<_>>()?),
                };
                let token = json!({ "name": name, "limits": limits, "expires_at": expires_at });
                Call::post(&["user", "tokens"], said(token))
            }
            Self::Rotate { id, overlap } => {
                Call::post(&["user", "tokens", &id, "rotate"], json!({ "overlap_seconds": overlap }))
            }
            Self::Delete { id } => Call::delete(&["user", "tokens", &id]),
        })
    }
}

/// `acme=read` or `acme/app=write`
fn limited(text: &str) -> anyhow::Result<Value> {
    let (place, role) =
        text.split_once('=').with_context(|| format!("--limit {text}: say WHERE=ROLE, as acme=read"))?;
    let field = if place.contains('/') { "repository" } else { "namespace" };
    Ok(json!({ field: place, "role": role }))
}
