//! What people from outside were granted in a namespace: who is neither its owner nor a member of its organisation.

use super::database::Database;
use super::error::StoreError;
use super::lists::{ListSql, list};
use super::rows::{flag, parsed, time};
use crate::model::collaborator::Collaborator;
use crate::model::{GrantedOn, Page, Paged};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

/// Grants to people from outside the namespace `n`, which is `$1`: each `g` on what `$on` says.
macro_rules! from_outside {
    ($columns:literal, $on:literal) => {
        concat!(
            "SELECT a.name AS account, ",
            $columns,
            ", g.role, g.created_by, g.created_at FROM namespaces n ",
            $on,
            " JOIN people a ON a.id = g.account_id
             WHERE n.id = $1 AND COALESCE(n.account_id, '') <> a.id AND NOT EXISTS (
                 SELECT 1 FROM members m WHERE m.organisation_id = n.organisation_id AND m.account_id = a.id)"
        )
    };
}

/// A blank stands before every sign of a name, so that this is in the order of people.
const COLLABORATORS: ListSql = list!(
    "",
    "h.*",
    concat!(
        "(",
        from_outside!("n.name AS name, 1 AS is_namespace", "JOIN grants g ON g.namespace_id = n.id"),
        " UNION ALL ",
        from_outside!(
            "r.name AS name, 0 AS is_namespace",
            "JOIN repositories r ON r.namespace_id = n.id AND r.deleted_at IS NULL JOIN grants g ON g.repository_id = r.id"
        ),
        ") h WHERE TRUE"
    ),
    "h.account || ' ' || h.name",
    " > $2",
    "",
    " LIMIT $3"
);

impl FromRow<'_, SqliteRow> for Collaborator {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let on = if flag(row, "is_namespace")? {
            GrantedOn::Namespace(parsed(row, "name")?)
        } else {
            GrantedOn::Repository(parsed(row, "name")?)
        };
        Ok(Self {
            account: parsed(row, "account")?,
            on,
            role: parsed(row, "role")?,
            created_by: row.try_get("created_by")?,
            created_at: time(row, "created_at")?,
        })
    }
}

impl Database {
    /// A page of what people from outside a namespace hold there, by their names.
    pub async fn collaborators(&self, namespace_id: &str, page: &Page) -> Result<Paged<Collaborator>, StoreError> {
        self.page(&COLLABORATORS, &[Some(namespace_id)], page).await
    }
}
