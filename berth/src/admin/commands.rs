//! The commands, and the one request that each of them is.

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::BufRead;

/// A request to the API.
pub struct Call {
    pub method: Method,
    /// Below `/api/v1`, a segment each.
    pub path: Vec<String>,
    pub body: Option<Value>,
    /// Of a list: what a line says of an entry. Empty: it is no list.
    pub columns: &'static [&'static str],
}

impl Call {
    fn list(path: &[&str], columns: &'static [&'static str]) -> Self {
        Self { columns, ..Self::one(Method::GET, path, None) }
    }

    fn one(method: Method, path: &[&str], body: Option<Value>) -> Self {
        Self { method, path: path.iter().map(|part| (*part).to_owned()).collect(), body, columns: &[] }
    }

    fn show(path: &[&str]) -> Self {
        Self::one(Method::GET, path, None)
    }

    fn post(path: &[&str], body: Value) -> Self {
        Self::one(Method::POST, path, Some(body))
    }

    fn put(path: &[&str], body: Value) -> Self {
        Self::one(Method::PUT, path, Some(body))
    }

    fn patch(path: &[&str], body: Value) -> Self {
        Self::one(Method::PATCH, path, Some(body))
    }

    fn delete(path: &[&str]) -> Self {
        Self::one(Method::DELETE, path, None)
    }
}

/// Without what was not said.
fn said(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    body
}

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
