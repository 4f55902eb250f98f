//! Commands about organisations, their members, and the invitations that they make.

use super::{Call, said};
use serde_json::json;

#[derive(clap::Subcommand)]
pub enum Org {
    /// All organisations that you may see.
    List {
        /// Those with this in their name.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// One organisation.
    Show { org: String },
    /// Make an organisation, which you own.
    Create {
        org: String,
        /// What people call it.
        #[arg(long)]
        display_name: Option<String>,
    },
    /// Change what people call it.
    Set {
        org: String,
        /// What people call it.
        #[arg(long)]
        display_name: String,
    },
    /// Give it another name, with everything in its namespace.
    Rename { org: String, to: String },
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
    /// Make an invitation for one person; its secret and its link are printed once.
    Invite {
        org: String,
        /// To be an owner, who runs it.
        #[arg(long)]
        owner: bool,
        /// A team that whoever accepts is put into. May be repeated.
        #[arg(long = "team", value_name = "TEAM")]
        teams: Vec<String>,
        /// Whoever has the link may make an account with it, though signing up is by invitation.
        #[arg(long)]
        allow_sign_up: bool,
        /// When it ends, as 2027-01-31T00:00:00Z. Default: in seven days.
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
    },
    /// The invitations that it made.
    Invitations { org: String },
    /// One of them, by its id.
    ShowInvitation { org: String, id: String },
    /// End an invitation before somebody accepts it.
    RevokeInvitation { org: String, id: String },
}

/// What a line says of an invitation.
const INVITATION: &[&str] = &["id", "role", "teams", "state", "created_by", "expires_at", "ended_by"];

impl Org {
    /// The request.
    pub fn call(self) -> Call {
        let role = |owner: bool| if owner { "owner" } else { "member" };
        match self {
            Self::List { search } => Call::list(&["orgs"], &["name", "display_name", "created_at"]).asking("q", search),
            Self::Show { org } => Call::show(&["orgs", &org]),
            Self::Create { org, display_name } => {
                Call::post(&["orgs"], said(json!({ "name": org, "display_name": display_name })))
            }
            Self::Set { org, display_name } => Call::patch(&["orgs", &org], json!({ "display_name": display_name })),
            Self::Rename { org, to } => Call::post(&["orgs", &org, "rename"], json!({ "name": to })),
            Self::Delete { org } => Call::delete(&["orgs", &org]),
            Self::Members { org } => Call::list(&["orgs", &org, "members"], &["user", "role", "created_at"]),
            Self::AddMember { org, user, owner } => {
                Call::put(&["orgs", &org, "members", &user], json!({ "role": role(owner) }))
            }
            Self::RemoveMember { org, user } => Call::delete(&["orgs", &org, "members", &user]),
            Self::Invite { org, owner, teams, allow_sign_up, expires_at } => {
                let invitation = json!({
                    "role": role(owner), "teams": teams, "allows_sign_up": allow_sign_up, "expires_at": expires_at,
                });
                Call::post(&["orgs", &org, "invitations"], said(invitation))
            }
            Self::Invitations { org } => Call::list(&["orgs", &org, "invitations"], INVITATION),
            Self::ShowInvitation { org, id } => Call::show(&["orgs", &org, "invitations", &id]),
            Self::RevokeInvitation { org, id } => Call::delete(&["orgs", &org, "invitations", &id]),
        }
    }
}
