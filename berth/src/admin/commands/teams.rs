//! Commands about teams of an organisation.

use super::{Call, change, said};
use reqwest::Method;
use serde_json::json;

#[derive(clap::Subcommand)]
pub enum Team {
    /// The teams of an organisation.
    List { org: String },
    /// One team.
    Show { org: String, team: String },
    /// Make a team.
    Create {
        org: String,
        team: String,
        /// A line about it.
        #[arg(long)]
        description: Option<String>,
    },
    /// Change its name, or what is said about it. What it was granted, it keeps.
    #[command(group = change(["name", "description"]))]
    Set {
        org: String,
        team: String,
        /// Another name.
        #[arg(long)]
        name: Option<String>,
        /// A line about it.
        #[arg(long)]
        description: Option<String>,
    },
    /// End a team, with what it was granted.
    Delete { org: String, team: String },
    /// Its members.
    Members { org: String, team: String },
    /// Put a member of the organisation into it.
    AddMember { org: String, team: String, user: String },
    /// Take somebody out of it.
    RemoveMember { org: String, team: String, user: String },
    /// What it was granted.
    Grants { org: String, team: String },
}

impl Team {
    /// The request.
    pub fn call(self) -> Call {
        match self {
            Self::List { org } => Call::list(&["orgs", &org, "teams"], &["name", "description", "created_at"]),
            Self::Show { org, team } => Call::show(&["orgs", &org, "teams", &team]),
            Self::Create { org, team, description } => {
                Call::post(&["orgs", &org, "teams"], said(json!({ "name": team, "description": description })))
            }
            Self::Set { org, team, name, description } => {
                let changes = said(json!({ "name": name, "description": description }));
                Call::patch(&["orgs", &org, "teams", &team], changes)
            }
            Self::Delete { org, team } => Call::delete(&["orgs", &org, "teams", &team]),
            Self::Members { org, team } => {
                Call::list(&["orgs", &org, "teams", &team, "members"], &["user", "created_at"])
            }
            Self::AddMember { org, team, user } => {
                Call::one(Method::PUT, &["orgs", &org, "teams", &team, "members", &user], None)
            }
            Self::RemoveMember { org, team, user } => Call::delete(&["orgs", &org, "teams", &team, "members", &user]),
            Self::Grants { org, team } => Call::list(
                &["orgs", &org, "teams", &team, "grants"],
                &["namespace", "repository", "role", "created_by", "created_at"],
            ),
        }
    }
}
