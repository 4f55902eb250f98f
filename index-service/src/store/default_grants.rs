//! Default grants of namespaces, and the grants that are made of them when a repository is made.

use super::database::Database;
use super::error::StoreError;
use super::grants::subject_columns;
use super::new_id;
use super::rows::{micros, parsed};
use crate::model::GrantSubject;
use crate::model::default_grant::DefaultGrant;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

impl FromRow<'_, SqliteRow> for DefaultGrant {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self { subject: parsed(row, "subject")?, role: parsed(row, "role")? })
    }
}

impl Database {
    /// All default grants of a namespace: there are few.
    pub async fn default_grants(&self, namespace_id: &str) -> Result<Vec<DefaultGrant>, StoreError> {
        let grants = sqlx::query_as(
            "SELECT CASE WHEN t.id IS NOT NULL THEN 'team:' || o.name || '/' || t.name
                         WHEN a.organisation_id IS NULL THEN 'user:' || a.name ELSE 'robot:' || a.name END AS subject,
                d.role
             FROM default_grants d LEFT JOIN accounts a ON a.id = d.account_id
             LEFT JOIN teams t ON t.id = d.team_id LEFT JOIN organisations o ON o.id = t.organisation_id
             WHERE d.namespace_id = $1 ORDER BY subject",
        );
        Ok(grants.bind(namespace_id).fetch_all(&mut *self.reader().await?).await?)
    }

    /// Puts `grants` in place of those that a namespace had. Tells the first subject that there is not; then nothing was
    /// changed.
    pub async fn put_default_grants(
        &self,
        namespace_id: &str,
        grants: &[DefaultGrant],
        by: &str,
    ) -> Result<Option<GrantSubject>, StoreError> {
        let mut transaction = self.write().await?;
        let before = sqlx::query("DELETE FROM default_grants WHERE namespace_id = $1").bind(namespace_id);
        before.execute(&mut *transaction).await?;
        for DefaultGrant { subject, role } in grants {
            let Some(columns) = subject_columns(&mut transaction, subject).await? else {
                return Ok(Some(subject.clone()));
            };
            sqlx::query(
                "INSERT INTO default_grants (namespace_id, account_id, team_id, role, created_by)
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(namespace_id)
            .bind(columns.account_id)
            .bind(columns.team_id)
            .bind(role.as_str())
            .bind(by)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(None)
    }
}

/// Gives what a namespace grants by default on a repository that was just made in it. Whoever set the default gave it.
pub(super) async fn give_default_grants(
    connection: &mut SqliteConnection,
    repository_id: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    let defaults: Vec<SqliteRow> = sqlx::query(
        "SELECT d.account_id, d.team_id, d.role, d.created_by
         FROM repositories r JOIN default_grants d ON d.namespace_id = r.namespace_id WHERE r.id = $1",
    )
    .bind(repository_id)
    .fetch_all(&mut *connection)
    .await?;
    for row in defaults {
        sqlx::query(
            "INSERT INTO grants (id, repository_id, account_id, team_id, role, created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(new_id())
        .bind(repository_id)
        .bind(row.try_get::<Option<String>, _>("account_id")?)
        .bind(row.try_get::<Option<String>, _>("team_id")?)
        .bind(row.try_get::<String, _>("role")?)
        .bind(row.try_get::<String, _>("created_by")?)
        .bind(micros(now))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
