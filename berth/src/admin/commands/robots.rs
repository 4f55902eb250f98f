//! Commands about machine accounts of an organisation.

use super::{Call, said};
use serde_json::json;

#[derive(clap::Subcommand)]
pub enum Robot {
    /// The robots of an organisation.
    List { org: String },
    /// One robot, by the part of its name after the `+`.
    Show { org: String, robot: String },
    /// Make a robot; its secret is printed once.
    Create {
        org: String,
        robot: String,
        /// A line about it.
        #[arg(long)]
        description: Option<String>,
        /// When its secret ends, as 2027-01-31T00:00:00Z. Default: never.
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
        /// From where it may do anything, as 10.0.0.0/8. May be repeated; without it, from everywhere.
        #[arg(long = "network", value_name = "RANGE")]
        networks: Vec<String>,
    },
    /// Change what is said about it.
    Set {
        org: String,
        robot: String,
        /// A line about it.
        #[arg(long)]
        description: String,
    },
    /// Say from where it may do anything: from everywhere without a range.
    SetNetworks {
        org: String,
        robot: String,
        /// As 10.0.0.0/8.
        #[arg(value_name = "RANGE")]
        networks: Vec<String>,
    },
    /// Give it another secret, which is printed once.
    Rotate {
        org: String,
        robot: String,
        /// Seconds for which the secret before goes on.
        #[arg(long, default_value_t = 0, value_name = "SECONDS")]
        overlap: u32,
        /// When it ends, as 2027-01-31T00:00:00Z. Default: as before.
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
    },
    /// End everything that it may do, until it is enabled.
    Disable { org: String, robot: String },
    /// Let it do again what it may.
    Enable { org: String, robot: String },
    /// End it, with what it was granted.
    Delete { org: String, robot: String },
}

impl Robot {
    /// The request.
    pub fn call(self) -> Call {
        let changed = |org: &str, robot: &str, changes| Call::patch(&["orgs", org, "robots", robot], changes);
        match self {
            Self::List { org } => Call::list(
                &["orgs", &org, "robots"],
                &["name", "description", "disabled", "expires_at", "last_used_at"],
            ),
            Self::Show { org, robot } => Call::show(&["orgs", &org, "robots", &robot]),
            Self::Create { org, robot, description, expires_at, networks } => {
                let robot = json!({
                    "name": robot, "description": description, "expires_at": expires_at, "allowed_networks": networks,
                });
                Call::post(&["orgs", &org, "robots"], said(robot))
            }
            Self::Set { org, robot, description } => changed(&org, &robot, json!({ "description": description })),
            Self::SetNetworks { org, robot, networks } => {
                changed(&org, &robot, json!({ "allowed_networks": networks }))
            }
            Self::Rotate { org, robot, overlap, expires_at } => {
                let rotation = json!({ "overlap_seconds": overlap, "expires_at": expires_at });
                Call::post(&["orgs", &org, "robots", &robot, "rotate"], said(rotation))
            }
            Self::Disable { org, robot } => changed(&org, &robot, json!({ "disabled": true })),
            Self::Enable { org, robot } => changed(&org, &robot, json!({ "disabled": false })),
            Self::Delete { org, robot } => Call::delete(&["orgs", &org, "robots", &robot]),
        }
    }
}
