//! Commands about one's own access tokens.

use super::{Call, said};
use serde_json::{Value, json};

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
        #[arg(long, value_name = "WHERE=ROLE", value_parser = limited)]
        limit: Vec<Value>,
        /// When it ends, as 2027-01-31T00:00:00Z. Default: never.
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
        /// From where it opens anything, as 10.0.0.0/8. May be repeated; without it, from everywhere.
        #[arg(long = "network", value_name = "RANGE")]
        networks: Vec<String>,
    },
    /// Say from where it opens anything: from everywhere without a range.
    SetNetworks {
        id: String,
        /// As 10.0.0.0/8.
        #[arg(value_name = "RANGE")]
        networks: Vec<String>,
    },
    /// Give it another secret, which is printed once.
    Rotate {
        id: String,
        /// Seconds for which the secret before goes on.
        #[arg(long, default_value_t = 0, value_name = "SECONDS")]
        overlap: u32,
        /// When it ends, as 2027-01-31T00:00:00Z. Default: as before.
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
    },
    /// End it.
    Delete { id: String },
}

impl Token {
    /// The request.
    pub fn call(self) -> Call {
        match self {
            Self::List => {
                Call::list(&["user", "tokens"], &["id", "name", "limits", "expires_at", "last_used_at", "created_at"])
            }
            Self::Show { id } => Call::show(&["user", "tokens", &id]),
            Self::Create { name, limit, expires_at, networks } => {
                let limits = (!limit.is_empty()).then_some(limit);
                let token =
                    json!({ "name": name, "limits": limits, "expires_at": expires_at, "allowed_networks": networks });
                Call::post(&["user", "tokens"], said(token))
            }
            Self::SetNetworks { id, networks } => {
                Call::patch(&["user", "tokens", &id], json!({ "allowed_networks": networks }))
            }
            Self::Rotate { id, overlap, expires_at } => {
                let rotation = json!({ "overlap_seconds": overlap, "expires_at": expires_at });
                Call::post(&["user", "tokens", &id, "rotate"], said(rotation))
            }
            Self::Delete { id } => Call::delete(&["user", "tokens", &id]),
        }
    }
}

/// `acme=read` or `acme/app=write`
fn limited(text: &str) -> Result<Value, &'static str> {
    let (place, role) = text.split_once('=').ok_or("say WHERE=ROLE, as acme=read")?;
    let field = if place.contains('/') { "repository" } else { "namespace" };
    Ok(json!({ field: place, "role": role }))
}
