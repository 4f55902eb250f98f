//! Grants on namespaces and on repositories.

use super::database::Database;
use super::error::StoreError;
use super::new_id;
use super::rows::{micros, parsed, time};
use crate::model::{Grant, GrantTarget, Page, Paged};
use shared::NamespaceName;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

impl FromRow<'_, SqliteRow> for Grant {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            account: parsed(row, "account")?,
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

impl Database {
    /// A page of the grants on `target`.
    pub async fn grants(&self, target: &GrantTarget, page: &Page) -> Result<Paged<Grant>, StoreError> {
        let (namespace, repository) = columns(target);
        let rows = sqlx::query_as(
            "SELECT a.name AS account, g.role, g.created_by, g.created_at
             FROM grants g JOIN accounts a ON a.id = g.account_id
             WHERE (g.namespace_id = $1 OR g.repository_id = $2) AND a.name > $3 ORDER BY a.name LIMIT $4",
        )
        .bind(namespace)
        .bind(repository)
        .bind(page.after())
        .bind(page.rows_to_read())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        Ok(page.of(rows, |grant: &Grant| grant.account.to_string()))
    }

    /// Gives `grant`, in place of what the account had on `target`; `None` if there is no such account.
    pub async fn put_grant(&self, target: &GrantTarget, grant: &Grant) -> Result<Option<()>, StoreError> {
        let (namespace, repository) = columns(target);
        let mut transaction = self.write().await?;
        remove(&mut transaction, target, &grant.account).await?;
        let given = sqlx::query(
            "INSERT INTO grants (id, namespace_id, repository_id, account_id, role, created_by, created_at)
             SELECT $1, $2, $3, a.id, $5, $6, $7 FROM accounts a WHERE a.name = $4",
        )
        .bind(new_id())
        .bind(namespace)
        .bind(repository)
        .bind(grant.account.as_str())
        .bind(grant.role.as_str())
        .bind(&grant.created_by)
        .bind(micros(grant.created_at))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok((given.rows_affected() > 0).then_some(()))
    }

    /// Takes away what `account` was granted on `target`; `None` if that was nothing.
    pub async fn delete_grant(&self, target: &GrantTarget, account: &NamespaceName) -> Result<Option<()>, StoreError> {
        let mut transaction = self.write().await?;
        let taken = remove(&mut transaction, target, account).await?;
        transaction.commit().await?;
        Ok(taken.then_some(()))
    }
}

/// Whether there was a grant to remove.
async fn remove(
    connection: &mut SqliteConnection,
    target: &GrantTarget,
    account: &NamespaceName,
) -> sqlx::Result<bool> {
    let (namespace, repository) = columns(target);
    let removed = sqlx::query(
        "DELETE FROM grants WHERE (namespace_id = $1 OR repository_id = $2)
         AND account_id = (SELECT id FROM accounts WHERE name = $3)",
    )
    .bind(namespace)
    .bind(repository)
    .bind(account.as_str())
    .execute(connection)
    .await?;
    Ok(removed.rows_affected() > 0)
}
