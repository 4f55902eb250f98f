//! Commands about repositories. Their grants are `berth grant`.

use super::{Call, change, repository, said};
use serde_json::json;

#[derive(clap::Subcommand)]
pub enum Repo {
    /// All repositories that you may see.
    List {
        /// Those in this namespace; said again, those in one of several.
        #[arg(long)]
        namespace: Vec<String>,
        /// Those that are private, or those that are public.
        #[arg(long)]
        visibility: Option<String>,
        /// Those with this in their name.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// By `name` or `updated_at`, or both with a comma; with `-` before it, backwards.
        #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
        sort: Option<String>,
    },
    /// One repository.
    Show { repo: String },
    /// Make a repository, or change it if it is there.
    Create {
        repo: String,
        /// Who may read it: private or public. Default: as its namespace says.
        #[arg(long)]
        visibility: Option<String>,
        /// What it is.
        #[arg(long)]
        description: Option<String>,
    },
    /// Change who may read it, or what is said about it.
    #[command(group = change(["visibility", "description", "official"]))]
    Set {
        repo: String,
        /// Who may read it: private or public.
        #[arg(long)]
        visibility: Option<String>,
        /// What it is.
        #[arg(long)]
        description: Option<String>,
        /// Whether searches show it as official, for administrators of the instance.
        #[arg(long, value_name = "true|false")]
        official: Option<bool>,
    },
    /// Give it another name in its namespace.
    Rename { repo: String, to: String },
    /// Delete it. It can be restored for seven days; `berth namespace deleted` lists what can.
    Delete { repo: String },
    /// Bring a deleted one back as it was.
    Restore { repo: String },
    /// End a deleted one at once, for administrators of the instance.
    Purge { repo: String },
    /// What somebody may do in it, and why.
    Explain {
        repo: String,
        /// `user:bob`, `robot:acme+ci` or `anonymous`. Default: you.
        #[arg(long)]
        subject: Option<String>,
    },
}

impl Repo {
    /// The request.
    pub fn call(self) -> Call {
        match self {
            Self::List { namespace, visibility, search, sort } => {
                Call::list(&["repositories"], &["name", "visibility", "description", "updated_at"])
                    .asking("namespace", namespace)
                    .asking("visibility", visibility)
                    .asking("q", search)
                    .asking("sort", sort)
            }
            Self::Show { repo } => Call::show(&repository(&repo, &[])),
            Self::Create { repo, visibility, description } => {
                let made = json!({ "visibility": visibility, "description": description });
                Call::put(&repository(&repo, &[]), said(made))
            }
            Self::Set { repo, visibility, description, official } => {
                let changes = json!({ "visibility": visibility, "description": description, "official": official });
                Call::patch(&repository(&repo, &[]), said(changes))
            }
            Self::Rename { repo, to } => Call::post(&repository(&repo, &["-", "rename"]), json!({ "name": to })),
            Self::Delete { repo } => Call::delete(&repository(&repo, &[])),
            Self::Restore { repo } => Call::order(&repository(&repo, &["-", "restore"])),
            Self::Purge { repo } => Call::order(&repository(&repo, &["-", "purge"])),
            Self::Explain { repo, subject } => {
                Call::show(&repository(&repo, &["-", "explain"])).asking("subject", subject)
            }
        }
    }
}
