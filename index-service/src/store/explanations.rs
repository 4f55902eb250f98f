//! Every grant that gives a subject something at a repository name.

use super::database::Database;
use super::error::StoreError;
use super::places::place;
use super::rows::{flag, parsed};
use crate::model::explanation::{Explanation, Reason, Source};
use crate::model::{GrantedOn, Subject};
use shared::RepositoryName;
use sqlx::FromRow;
use sqlx::sqlite::SqliteRow;

/// Grants from `$grants` on the repository `$2` or on its namespace, each with its `$holder`; `$1` is the subject.
macro_rules! grants_of {
    ($holder:literal, $grants:literal) => {
        concat!(
            "SELECT ",
            $holder,
            " AS holder, n.id IS NOT NULL AS is_namespace, COALESCE(n.name, r.name) AS name, g.role
             FROM accounts s ",
            $grants,
            " JOIN repositories r ON r.name = $2 AND (r.id = g.repository_id OR r.namespace_id = g.namespace_id)
             LEFT JOIN namespaces n ON n.id = g.namespace_id
             WHERE s.name = $1 AND s.disabled_at IS NULL"
        )
    };
}

const GRANTS: &str = concat!(
    grants_of!(
        "CASE WHEN s.organisation_id IS NULL THEN 'user:' ELSE 'robot:' END || s.name",
        "JOIN grants g ON g.account_id = s.id"
    ),
    " UNION ALL ",
    grants_of!(
        "'team:' || o.name || '/' || t.name",
        "JOIN team_members m ON m.account_id = s.id JOIN grants g ON g.team_id = m.team_id
         JOIN teams t ON t.id = m.team_id JOIN organisations o ON o.id = t.organisation_id"
    ),
    " ORDER BY holder, name"
);

impl FromRow<'_, SqliteRow> for Reason {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let on = if flag(row, "is_namespace")? {
            GrantedOn::Namespace(parsed(row, "name")?)
        } else {
            GrantedOn::Repository(parsed(row, "name")?)
        };
        Ok(Self { source: Source::Grant { holder: parsed(row, "holder")?, on }, role: parsed(row, "role")? })
    }
}

impl Database {
    /// What `subject` holds on the repository `name`, and why, all in one state of the rows; `None` if there is none.
    pub async fn explanation(
        &self,
        subject: &Subject,
        name: &RepositoryName,
    ) -> Result<Option<Explanation>, StoreError> {
        let mut transaction = self.read().await?;
        let place = place(&mut transaction, subject, name).await?;
        let granted: Vec<Reason> =
            sqlx::query_as(GRANTS).bind(subject.as_str()).bind(name.as_str()).fetch_all(&mut *transaction).await?;
        Ok(place.repository_id().map(|_| Explanation::new(&place, granted)))
    }
}
