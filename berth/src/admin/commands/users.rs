//! Commands about accounts.

use super::{Call, change, line_of_stdin, said};
use serde_json::json;

#[derive(clap::Subcommand)]
pub enum User {
    /// All accounts.
    List {
        /// Those with this in their name.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Those that are disabled, or those that are not.
        #[arg(long)]
        disabled: Option<bool>,
        /// By `name` or `created_at`, or both with a comma; with `-` before it, backwards.
        #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
        sort: Option<String>,
    },
    /// One account.
    Show { name: String },
    /// Make an account; the password is read from standard input, up to the end of the line.
    Create {
        name: String,
        /// It administers the instance.
        #[arg(long)]
        admin: bool,
    },
    /// Change what an account is.
    #[command(group = change(["admin", "auditor"]))]
    Set {
        name: String,
        /// Whether it administers the instance.
        #[arg(long, value_name = "true|false")]
        admin: Option<bool>,
        /// Whether it is an auditor, who sees all and changes nothing.
        #[arg(long, value_name = "true|false")]
        auditor: Option<bool>,
    },
    /// End everything that the account may do, until it is enabled.
    Disable { name: String },
    /// Let it do again what it may.
    Enable { name: String },
    /// Change your own password; the old one and the new one are read from standard input, a line each.
    ChangePassword,
}

impl User {
    /// The request.
    pub fn call(self) -> anyhow::Result<Call> {
        let changed = |name: &str, body| Call::patch(&["admin", "users", name], said(body));
        Ok(match self {
            Self::List { search, disabled, sort } => {
                Call::list(&["admin", "users"], &["name", "is_admin", "is_auditor", "disabled", "created_at"])
                    .asking("q", search)
                    .asking("disabled", disabled)
                    .asking("sort", sort)
            }
            Self::Show { name } => Call::show(&["admin", "users", &name]),
            Self::Create { name, admin } => {
                let password = line_of_stdin("the password")?;
                Call::post(&["admin", "users"], json!({ "name": name, "password": password, "is_admin": admin }))
            }
            Self::Set { name, admin, auditor } => changed(&name, json!({ "is_admin": admin, "is_auditor": auditor })),
            Self::Disable { name } => changed(&name, json!({ "disabled": true })),
            Self::Enable { name } => changed(&name, json!({ "disabled": false })),
            Self::ChangePassword => {
                let (old, new) = (line_of_stdin("the old password")?, line_of_stdin("the new password")?);
                Call::put(&["user", "password"], json!({ "old_password": old, "new_password": new }))
            }
        })
    }
}
