//! Repositories: allocated, listed, changed.

use super::database::Database;
use super::default_grants::give_default_grants;
use super::error::StoreError;
use super::lists::{list, sorted};
use super::revocations::revoke;
use super::rows::{flag, micros, parsed, time, unsigned};
use super::visibility::{containing, with_visible};
use super::{Claim, new_id};
use crate::model::repository::{RepositoryChange, RepositoryFilter};
use crate::model::{Page, Paged, Repository, Subject, Visibility};
use jiff::Timestamp;
use shared::revocations::Revoked;
use shared::{NamespaceName, RepositoryName};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

impl FromRow<'_, SqliteRow> for Repository {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            name: parsed(row, "name")?,
            namespace: parsed(row, "namespace")?,
            visibility: parsed(row, "visibility")?,
            description: row.try_get("description")?,
            star_count: unsigned(row, "star_count")?,
            official: flag(row, "official")?,
            state: parsed(row, "state")?,
            created_by: row.try_get("created_by")?,
            created_at: time(row, "created_at")?,
            updated_at: time(row, "updated_at")?,
        })
    }
}

/// A repository to be made.
#[derive(Debug)]
pub struct NewRepository<'a> {
    /// Its whole name.
    pub name: &'a RepositoryName,
    /// Who may read it; `None` for what the namespace has as default.
    pub visibility: Option<Visibility>,
    /// One line for people.
    pub description: &'a str,
    /// Who makes it, by name.
    pub created_by: &'a str,
}

/// A page, at most `$4`, of the names after `$3` that the rest of the statement is about.
macro_rules! page_of_names {
    ($from:literal, $condition:literal) => {
        concat!(
            "SELECT name FROM (SELECT r.name FROM ",
            $from,
            " WHERE r.deleted_at IS NULL AND r.state = 'ready' AND r.name > $3
               AND ",
            super::visibility::is_open!("r.namespace_id"),
            " AND ",
            $condition,
            " ORDER BY r.name LIMIT $4) AS page"
        )
    };
}

/// What `visible_repositories` says, reason by reason: each begins from what the subject may see and reads one page of it
/// in the order of an index. CROSS JOIN says that what is held comes first. Above `~` there is no name.
const CATALOG: &str = with_visible!(
    "SELECT name FROM (",
    page_of_names!("repositories r", "r.visibility = 'public' AND ($1 = '' OR EXISTS (SELECT 1 FROM subject))"),
    " UNION ",
    page_of_names!("repositories r", "r.name > COALESCE((SELECT $3 FROM subject WHERE sees_all = 1), '~')"),
    " UNION ",
    page_of_names!("held_namespaces h CROSS JOIN repositories r", "r.namespace_id = h.id"),
    " UNION ",
    page_of_names!("held_repositories h CROSS JOIN repositories r", "r.id = h.id"),
    ") AS pages ORDER BY name LIMIT $4"
);

/// The repositories that the subject `$1` may see from `$2`, of the namespaces `$3` to `$10`, with the visibility `$11`, with
/// the text `$12`.
macro_rules! repositories {
    ($key:expr, $beyond:expr, $order:expr) => {
        list!(
            with_visible!(""),
            "r.*, n.name AS namespace",
            r"visible_repositories r JOIN namespaces n ON n.id = r.namespace_id
              WHERE ($3 IS NULL OR n.name IN ($3, $4, $5, $6, $7, $8, $9, $10)) AND ($11 IS NULL OR r.visibility = $11)
                AND ($12 IS NULL OR lower(r.name) LIKE $12 ESCAPE '\' OR lower(r.description) LIKE $12 ESCAPE '\')",
            $key,
            concat!($beyond, "$13"),
            $order,
            " LIMIT $14"
        )
    };
}

impl Database {
    /// Makes a repository with its namespace's default grants, unless its name is taken or its namespace is gone.
    pub async fn create_repository(&self, new: &NewRepository<'_>, now: Timestamp) -> Result<Claim, StoreError> {
        let (id, mut transaction) = (new_id(), self.write().await?);
        let made = sqlx::query(
            "INSERT INTO repositories (id, name, namespace_id, visibility, description, created_by, created_at, updated_at)
             SELECT $1, $2, n.id, COALESCE($4, n.default_visibility), $5, $6, $7, $7
             FROM live_namespaces l JOIN namespaces n ON n.id = l.id
             WHERE n.name = $3 AND NOT EXISTS (SELECT 1 FROM namespace_names b WHERE b.name = $2)
                 AND NOT EXISTS (SELECT 1 FROM repository_moves m WHERE m.new_name = $2)
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(&id)
        .bind(new.name.as_str())
        .bind(new.name.namespace().as_str())
        .bind(new.visibility.map(Visibility::as_str))
        .bind(new.description)
        .bind(new.created_by)
        .bind(micros(now))
        .execute(&mut *transaction)
        .await?;
        if made.rows_affected() == 0 {
            // Whoever has it may be of the same transaction: what the caller looks at next must have it.
            transaction.commit().await?;
            return Ok(Claim::Taken);
        }
        give_default_grants(&mut transaction, &id, now).await?;
        transaction.commit().await?;
        Ok(Claim::Made)
    }

    /// A page of the repositories that `subject` may see.
    pub async fn repositories(
        &self,
        subject: &Subject,
        filter: &RepositoryFilter,
        page: &Page,
    ) -> Result<Paged<Repository>, StoreError> {
        let list = sorted!(repositories, page.sorting(), "r.updated_at", "r.name");
        let pattern = filter.text.as_deref().map(containing);
        let from = subject.origin().as_key();
        let mut arguments = vec![Some(subject.as_str()), Some(&from)];
        let namespace = |number| filter.namespaces.get(number).map(NamespaceName::as_str);
        arguments.extend((0..RepositoryFilter::MOST_NAMESPACES).map(namespace));
        arguments.extend([filter.visibility.map(Visibility::as_str), pattern.as_deref()]);
        self.page(&list, &arguments, page).await
    }

    /// A page of the names of repositories with content that `subject` may see, for the registry's catalog: as quick for
    /// who may see none of a hundred thousand as for who may see all.
    pub async fn catalog(
        &self,
        subject: &Subject,
        after: &str,
        rows_to_read: u32,
    ) -> Result<Vec<RepositoryName>, StoreError> {
        let rows: Vec<SqliteRow> = sqlx::query(CATALOG)
            .bind(subject.as_str())
            .bind(subject.origin().as_key())
            .bind(after)
            .bind(rows_to_read)
            .fetch_all(&mut *self.reader().await?)
            .await?;
        Ok(rows.iter().map(|row| parsed(row, "name")).collect::<sqlx::Result<_>>()?)
    }

    /// Changes a live repository; `None` if it is gone.
    pub async fn change_repository(
        &self,
        id: &str,
        change: &RepositoryChange,
        now: Timestamp,
    ) -> Result<Option<Repository>, StoreError> {
        let mut transaction = self.write().await?;
        let repository = sqlx::query_as(
            "UPDATE repositories SET
                 visibility = COALESCE($2, visibility), description = COALESCE($3, description),
                 official = COALESCE($4, official), updated_at = $5
             WHERE id = $1 AND deleted_at IS NULL
             RETURNING *, (SELECT n.name FROM namespaces n WHERE n.id = namespace_id) AS namespace",
        )
        .bind(id)
        .bind(change.visibility.map(Visibility::as_str))
        .bind(&change.description)
        .bind(change.official.map(i64::from))
        .bind(micros(now))
        .fetch_optional(&mut *transaction)
        .await?;
        if change.visibility == Some(Visibility::Private) {
            revoke(&mut transaction, &Revoked::Repository(id.to_owned())).await?;
        }
        self.commit_revocation(transaction).await?;
        Ok(repository)
    }
}
