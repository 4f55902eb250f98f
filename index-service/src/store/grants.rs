//! Grants on namespaces and on repositories.

use super::database::Database;
use super::error::StoreError;
use super::lists::{ListSql, list};
use super::new_id;
use super::revocations::{revoke_account, revoke_team};
use super::rows::{micros, parsed, time};
use crate::model::{Grant, GrantSubject, GrantTarget, Page, Paged};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

/// The largest role that the account `s` was granted where `$column` is `$target`, itself or as a member of teams; NULL if
/// none. CROSS JOIN says that its teams come first: a namespace may have far more grants than one has teams.
macro_rules! granted_role {
    ($column:literal, $target:literal) => {
        concat!(
            "(SELECT h.role FROM (
                SELECT g.role FROM grants g WHERE g.",
            $column,
            " = ",
            $target,
            " AND g.account_id = s.id
                UNION ALL
                SELECT g.role FROM team_members t CROSS JOIN grants g
                WHERE t.account_id = s.id AND g.team_id = t.team_id AND g.",
            $column,
            " = ",
            $target,
            ") h ORDER BY CASE h.role WHEN 'admin' THEN 1 WHEN 'maintain' THEN 2 WHEN 'write' THEN 3 ELSE 4 END LIMIT 1)"
        )
    };
}

pub(super) use granted_role;

impl FromRow<'_, SqliteRow> for Grant {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            subject: parsed(row, "subject")?,
            role: parsed(row, "role")?,
            created_by: row.try_get("created_by")?,
            created_at: time(row, "created_at")?,
        })
    }
}

/// The target as the two columns hold it: the namespace's id, the repository's id.
fn columns(target: &GrantTarget) -> (Option<&str>, Option<&str>) {
    match target {
        GrantTarget::Namespace(id) => (Some(id), None),
        GrantTarget::Repository(id) => (None, Some(id)),
    }
}

/// A subject as the two columns hold it.
pub(super) struct SubjectColumns {
    pub(super) account_id: Option<String>,
    pub(super) team_id: Option<String>,
}

impl Database {
    /// A page of the grants on `target`.
    pub async fn grants(&self, target: &GrantTarget, page: &Page) -> Result<Paged<Grant>, StoreError> {
        const GRANTS: ListSql = list!(
            "",
            "h.*",
            "(SELECT CASE WHEN a.organisation_id IS NULL THEN 'user:' ELSE 'robot:' END || a.name AS subject,
                 g.role, g.created_by, g.created_at
             FROM grants g JOIN accounts a ON a.id = g.account_id
             WHERE g.namespace_id = $1 OR g.repository_id = $2
             UNION ALL
             SELECT 'team:' || o.name || '/' || t.name, g.role, g.created_by, g.created_at
             FROM grants g JOIN teams t ON t.id = g.team_id JOIN organisations o ON o.id = t.organisation_id
             WHERE g.namespace_id = $1 OR g.repository_id = $2) h WHERE TRUE",
            "h.subject",
            " > $3",
            "",
            " LIMIT $4"
        );
        let (namespace, repository) = columns(target);
        self.page(&GRANTS, &[namespace, repository], page).await
    }

    /// Gives `grant`, in place of what its subject had on `target`; `None` if there is no such subject.
    pub async fn put_grant(&self, target: &GrantTarget, grant: &Grant) -> Result<Option<()>, StoreError> {
        let (namespace, repository) = columns(target);
        let mut transaction = self.write().await?;
        let Some(subject) = subject_columns(&mut transaction, &grant.subject).await? else { return Ok(None) };
        let replaces = remove(&mut transaction, target, &subject).await?;
        if replaces {
            revoke_subject(&mut transaction, &subject).await?;
        }
        sqlx::query(
            "INSERT INTO grants (id, namespace_id, repository_id, account_id, team_id, role, created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(new_id())
        .bind(namespace)
        .bind(repository)
        .bind(&subject.account_id)
        .bind(&subject.team_id)
        .bind(grant.role.as_str())
        .bind(&grant.created_by)
        .bind(micros(grant.created_at))
        .execute(&mut *transaction)
        .await?;
        self.commit_revocation(transaction).await?;
        Ok(Some(()))
    }

    /// Takes away what `subject` was granted on `target`; `None` if that was nothing.
    pub async fn delete_grant(&self, target: &GrantTarget, subject: &GrantSubject) -> Result<Option<()>, StoreError> {
        let mut transaction = self.write().await?;
        let Some(subject) = subject_columns(&mut transaction, subject).await? else { return Ok(None) };
        if !remove(&mut transaction, target, &subject).await? {
            return Ok(None);
        }
        revoke_subject(&mut transaction, &subject).await?;
        self.commit_revocation(transaction).await?;
        Ok(Some(()))
    }
}

async fn revoke_subject(connection: &mut SqliteConnection, subject: &SubjectColumns) -> sqlx::Result<()> {
    match subject {
        SubjectColumns { account_id: Some(id), .. } => revoke_account(connection, id).await,
        SubjectColumns { team_id: Some(id), .. } => revoke_team(connection, id).await,
        SubjectColumns { .. } => Ok(()),
    }
}

/// `None` if there is no such subject.
pub(super) async fn subject_columns(
    connection: &mut SqliteConnection,
    subject: &GrantSubject,
) -> sqlx::Result<Option<SubjectColumns>> {
    Ok(match subject {
        GrantSubject::User(name) => {
            account_columns(connection, "SELECT id FROM people WHERE name = $1", name.as_str()).await?
        }
        GrantSubject::Robot(name) => {
            const ROBOT: &str = "SELECT id FROM accounts WHERE name = $1 AND organisation_id IS NOT NULL";
            account_columns(connection, ROBOT, &name.to_string()).await?
        }
        GrantSubject::Team { organisation, team } => {
            let id = super::teams::team_id(connection, organisation, team).await?;
            id.map(|id| SubjectColumns { account_id: None, team_id: Some(id) })
        }
    })
}

async fn account_columns(
    connection: &mut SqliteConnection,
    statement: &'static str,
    name: &str,
) -> sqlx::Result<Option<SubjectColumns>> {
    let id: Option<String> = sqlx::query_scalar(statement).bind(name).fetch_optional(connection).await?;
    Ok(id.map(|id| SubjectColumns { account_id: Some(id), team_id: None }))
}

/// Whether there was a grant to remove.
async fn remove(
    connection: &mut SqliteConnection,
    target: &GrantTarget,
    subject: &SubjectColumns,
) -> sqlx::Result<bool> {
    let (namespace, repository) = columns(target);
    let removed = sqlx::query(
        "DELETE FROM grants WHERE (namespace_id = $1 OR repository_id = $2) AND (account_id = $3 OR team_id = $4)",
    )
    .bind(namespace)
    .bind(repository)
    .bind(&subject.account_id)
    .bind(&subject.team_id)
    .execute(connection)
    .await?;
    Ok(removed.rows_affected() > 0)
}
