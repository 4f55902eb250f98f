//! Commands about namespaces: what holds for all repositories in one. Its grants are `berth grant`.

use super::{Call, change, said};
use serde_json::{Value, json};

#[derive(clap::Subcommand)]
pub enum Namespace {
    /// All namespaces that you may see.
    List,
    /// One namespace.
    Show { namespace: String },
    /// Change what is said about it, or what new repositories are.
    #[command(group = change(["description", "default_visibility"]))]
    Set {
        namespace: String,
        /// A line about it.
        #[arg(long)]
        description: Option<String>,
        /// What repositories are that are made from now on: private or public.
        #[arg(long, value_name = "VISIBILITY")]
        default_visibility: Option<String>,
    },
    /// What is granted on each repository that is made in it.
    DefaultGrants { namespace: String },
    /// Replace what is granted on each repository made from now on: nothing without a grant.
    SetDefaultGrants {
        namespace: String,
        /// As `user:bob=read`, `team:acme/dev=write` or `robot:acme+ci=write`.
        #[arg(value_name = "SUBJECT=ROLE", value_parser = granted)]
        grants: Vec<Value>,
    },
    /// From where it may be used.
    Networks { namespace: String },
    /// Say from where it may be used: from everywhere without a range.
    SetNetworks {
        namespace: String,
        /// As 10.0.0.0/8.
        #[arg(value_name = "RANGE")]
        networks: Vec<String>,
    },
    /// What people from outside were granted in it.
    Collaborators { namespace: String },
    /// The deleted repositories that can be restored.
    Deleted { namespace: String },
}

impl Namespace {
    /// The request.
    pub fn call(self) -> Call {
        match self {
            Self::List => {
                Call::list(&["namespaces"], &["name", "kind", "description", "default_visibility", "created_at"])
            }
            Self::Show { namespace } => Call::show(&["namespaces", &namespace]),
            Self::Set { namespace, description, default_visibility } => {
                let changes = json!({ "description": description, "default_visibility": default_visibility });
                Call::patch(&["namespaces", &namespace], said(changes))
            }
            Self::DefaultGrants { namespace } => Call::show(&["namespaces", &namespace, "default-grants"]),
            Self::SetDefaultGrants { namespace, grants } => {
                Call::replace(&["namespaces", &namespace, "default-grants"], json!({ "grants": grants }))
            }
            Self::Networks { namespace } => Call::show(&["namespaces", &namespace, "networks"]),
            Self::SetNetworks { namespace, networks } => {
                Call::replace(&["namespaces", &namespace, "networks"], json!({ "allowed_networks": networks }))
            }
            Self::Collaborators { namespace } => Call::list(
                &["namespaces", &namespace, "collaborators"],
                &["user", "namespace", "repository", "role", "created_by", "created_at"],
            ),
            Self::Deleted { namespace } => Call::list(
                &["namespaces", &namespace, "deleted"],
                &["name", "visibility", "description", "deleted_at", "purge_at"],
            ),
        }
    }
}

/// `team:acme/dev=write`
fn granted(text: &str) -> Result<Value, &'static str> {
    let (subject, role) = text.split_once('=').ok_or("say SUBJECT=ROLE, as team:acme/dev=write")?;
    Ok(json!({ "subject": subject, "role": role }))
}
