//! Commands about organisations with their teams and robots, and about grants.

use super::{Call, said};
use reqwest::Method;
use serde_json::json;

#[derive(clap::Subcommand)]
pub enum Org {
    /// All organisations that you may see.
    List,
    /// One organisation.
    Show { org: String },
    /// Make an organisation, which you own.
    Create {
        org: String,
        /// What people call it.
        #[arg(long)]
        display_name: Option<String>,
    },
    /// Delete an organisation without repositories. Its name stays held.
    Delete { org: String },
    /// Its members.
    Members { org: String },
    /// Make somebody a member, or change what they are.
    AddMember {
        org: String,
        user: String,
        /// An owner, who runs it.
        #[arg(long)]
        owner: bool,
    },
    /// End a membership.
    RemoveMember { org: String, user: String },
}

impl Org {
    /// The request.
    pub fn call(self) -> Call {
        match self {
            Self::List => Call::list(&["orgs"], &["name", "display_name", "created_at"]),
            Self::Show { org } => Call::show(&["orgs", &org]),
            Self::Create { org, display_name } => {
                Call::post(&["orgs"], said(json!({ "name": org, "display_name": display_name })))
            }
            Self::Delete { org } => Call::delete(&["orgs", &org]),
            Self::Members { org } => Call::list(&["orgs", &org, "members"], &["user", "role", "created_at"]),
            Self::AddMember { org, user, owner } => {
                let role = if owner { "owner" } else { "member" };
                Call::put(&["orgs", &org, "members", &user], json!({ "role": role }))
            }
            Self::RemoveMember { org, user } => Call::delete(&["orgs", &org, "members", &user]),
        }
    }
}

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
    },
    /// Give it another secret, which is printed once.
    Rotate {
        org: String,
        robot: String,
        /// Seconds for which the secret before goes on.
        #[arg(long, default_value_t = 0, value_name = "SECONDS")]
        overlap: u32,
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
        let disabled = |org: &str, robot: &str, disabled: bool| {
            Call::patch(&["orgs", org, "robots", robot], json!({ "disabled": disabled }))
        };
        match self {
            Self::List { org } => Call::list(
                &["orgs", &org, "robots"],
                &["name", "description", "disabled", "expires_at", "last_used_at"],
            ),
            Self::Show { org, robot } => Call::show(&["orgs", &org, "robots", &robot]),
            Self::Create { org, robot, description, expires_at } => {
                let robot = json!({ "name": robot, "description": description, "expires_at": expires_at });
                Call::post(&["orgs", &org, "robots"], said(robot))
            }
            Self::Rotate { org, robot, overlap } => {
                Call::post(&["orgs", &org, "robots", &robot, "rotate"], json!({ "overlap_seconds": overlap }))
            }
            Self::Disable { org, robot } => disabled(&org, &robot, true),
            Self::Enable { org, robot } => disabled(&org, &robot, false),
            Self::Delete { org, robot } => Call::delete(&["orgs", &org, "robots", &robot]),
        }
    }
}

/// On what: a namespace, or with a `/` in its name a repository.
#[derive(clap::Subcommand)]
pub enum Grant {
    /// The grants on a namespace, as `acme`, or a repository, as `acme/app`.
    List { on: String },
    /// Give a role: read, write, maintain or admin.
    Put {
        on: String,
        /// `user:bob`, `team:acme/dev` or `robot:acme+ci`.
        subject: String,
        role: String,
    },
    /// Take a role away.
    Delete {
        on: String,
        /// `user:bob`, `team:acme/dev` or `robot:acme+ci`.
        subject: String,
    },
}

impl Grant {
    /// The request.
    pub fn call(self) -> Call {
        match self {
            Self::List { on } => Call::list(&grants(&on), &["subject", "role", "created_by", "created_at"]),
            Self::Put { on, subject, role } => {
                Call::put(&[&grants(&on)[..], &[subject.as_str()]].concat(), json!({ "role": role }))
            }
            Self::Delete { on, subject } => Call::delete(&[&grants(&on)[..], &[subject.as_str()]].concat()),
        }
    }
}

/// A repository's name has slashes, which part segments.
fn grants(on: &str) -> Vec<&str> {
    if on.contains('/') {
        ["repositories"].into_iter().chain(on.split('/')).chain(["-", "grants"]).collect()
    } else {
        vec!["namespaces", on, "grants"]
    }
}
