//! Commands about roles on a namespace or a repository.

use super::{Call, repository};
use serde_json::json;

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

fn grants(on: &str) -> Vec<&str> {
    if on.contains('/') { repository(on, &["-", "grants"]) } else { vec!["namespaces", on, "grants"] }
}
