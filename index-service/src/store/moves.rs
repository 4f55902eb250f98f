//! Wishes about repositories in the registries' storage: each stands as a row until it is known to be done, and what is
//! true of the repository afterwards is written when that row goes.

use super::database::Database;
use super::error::StoreError;
use super::lists::{ListSql, list};
use super::registry::turn;
use super::revocations::revoke;
use super::rows::{bigint, flag, micros, parsed, parsed_option, time, unsigned};
use crate::model::moves::{DeletedRepository, Wish};
use crate::model::{Page, Paged, Repository};
use jiff::Timestamp;
use shared::moves::{Move, MoveRequest};
use shared::revocations::Revoked;
use shared::{NamespaceName, RepositoryName};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

/// What came of a wish.
#[derive(Debug)]
pub enum Wished {
    /// It stands.
    Stands(MoveRequest),
    /// The repository is gone, or is not what can be wished so.
    NoSuchRepository,
    /// Another wish about it is not done yet.
    Moving,
    /// The new name is somebody's.
    NameTaken,
}

/// A wish as its row has it.
struct Standing(MoveRequest);

impl FromRow<'_, SqliteRow> for Standing {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let verb = match (parsed(row, "verb")?, parsed_option(row, "new_name")?) {
            (Wish::Restore, _) => Move::Restore,
            (Wish::Purge, _) => Move::Purge,
            (Wish::Rename, Some(to)) => Move::Rename { to },
            (Wish::PutAway | Wish::Rename, _) => Move::PutAway,
        };
        Ok(Self(MoveRequest {
            number: unsigned(row, "number")?,
            repository_id: row.try_get("repository_id")?,
            repository: parsed(row, "name")?,
            verb,
        }))
    }
}

impl FromRow<'_, SqliteRow> for DeletedRepository {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self { repository: Repository::from_row(row)?, deleted_at: time(row, "deleted_at")? })
    }
}

impl Database {
    /// Wishes something of a repository, if it may be wished now. What is put away is deleted from now on.
    pub async fn wish(&self, id: &str, verb: &Move, by: &str, now: Timestamp) -> Result<Wished, StoreError> {
        let mut transaction = self.write().await?;
        let wished = wish(&mut transaction, id, verb, by, now).await?;
        if matches!(wished, Wished::Stands(_)) {
            self.commit_revocation(transaction).await?;
        }
        Ok(wished)
    }

    /// Takes note that storage is as wished. Nothing, if another wish stands by now.
    pub async fn moved(&self, request: &MoveRequest, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        if remove_wish(&mut transaction, request).await? {
            let id = request.repository_id.as_str();
            match &request.verb {
                Move::PutAway => {}
                Move::Restore => restored(&mut transaction, id, now).await?,
                Move::Purge => purged(&mut transaction, id).await?,
                Move::Rename { to } => renamed(&mut transaction, id, to, now).await?,
            }
        }
        self.commit_revocation(transaction).await
    }

    /// Gives a wish up that cannot be.
    pub async fn give_up(&self, request: &MoveRequest) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        remove_wish(&mut transaction, request).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The same wish with a number larger than `seen`; `None`, if another one stands by now.
    pub async fn wish_anew(&self, request: &MoveRequest, seen: u64) -> Result<Option<MoveRequest>, StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("UPDATE counters SET value = $1 WHERE name = 'turn' AND value < $1")
            .bind(bigint(seen))
            .execute(&mut *transaction)
            .await?;
        let number = turn(&mut transaction).await?;
        let changed = sqlx::query("UPDATE repository_moves SET number = $3 WHERE repository_id = $1 AND number = $2")
            .bind(&request.repository_id)
            .bind(bigint(request.number))
            .bind(number)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        let number = u64::try_from(number).unwrap_or_default();
        Ok((changed.rows_affected() > 0).then(|| MoveRequest { number, ..request.clone() }))
    }

    /// The oldest wishes that are not known to be done.
    pub async fn wishes(&self, limit: u32) -> Result<Vec<MoveRequest>, StoreError> {
        let rows: Vec<Standing> = sqlx::query_as(
            "SELECT w.repository_id, w.verb, w.new_name, w.number, r.name
             FROM repository_moves w JOIN repositories r ON r.id = w.repository_id ORDER BY w.number LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        Ok(rows.into_iter().map(|Standing(request)| request).collect())
    }

    /// The ids of repositories that were deleted before `before`, and of which nothing is wished.
    pub async fn deleted_before(&self, before: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        let ids = sqlx::query_scalar(
            "SELECT r.id FROM repositories r
             WHERE r.deleted_at < $1 AND NOT EXISTS (SELECT 1 FROM repository_moves w WHERE w.repository_id = r.id)
             ORDER BY r.deleted_at LIMIT $2",
        );
        Ok(ids.bind(micros(before)).bind(limit).fetch_all(&mut *self.reader().await?).await?)
    }

    /// A page of the deleted repositories of a namespace, whoever asks.
    pub async fn deleted_repositories(
        &self,
        namespace: &NamespaceName,
        page: &Page,
    ) -> Result<Paged<DeletedRepository>, StoreError> {
        const DELETED: ListSql = list!(
            "",
            "r.*, n.name AS namespace",
            "repositories r JOIN namespaces n ON n.id = r.namespace_id WHERE n.name = $1 AND r.deleted_at IS NOT NULL",
            "r.name",
            " > $2",
            "",
            " LIMIT $3"
        );
        self.page(&DELETED, &[Some(namespace.as_str())], page).await
    }
}

/// The same within a transaction. What does not stand must not be committed.
pub(super) async fn wish(
    connection: &mut SqliteConnection,
    id: &str,
    verb: &Move,
    by: &str,
    now: Timestamp,
) -> sqlx::Result<Wished> {
    let row: Option<SqliteRow> = sqlx::query(
        "SELECT r.name, r.deleted_at IS NOT NULL AS is_deleted, w.verb
         FROM repositories r LEFT JOIN repository_moves w ON w.repository_id = r.id WHERE r.id = $1",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(Wished::NoSuchRepository) };
    let (is_deleted, pending) = (flag(&row, "is_deleted")?, parsed_option(&row, "verb")?);
    let wish = Wish::from(verb);
    if !wish.may_follow(is_deleted, pending) {
        return Ok(if wish.may_follow(is_deleted, None) { Wished::Moving } else { Wished::NoSuchRepository });
    }
    let mut new_name = None;
    if let Move::Rename { to } = verb {
        if is_taken(connection, to).await? {
            return Ok(Wished::NameTaken);
        }
        new_name = Some(to.as_str());
    }
    if wish == Wish::PutAway {
        sqlx::query("UPDATE repositories SET deleted_at = $2 WHERE id = $1")
            .bind(id)
            .bind(micros(now))
            .execute(&mut *connection)
            .await?;
        revoke(connection, &Revoked::Repository(id.to_owned())).await?;
    }
    let number = turn(connection).await?;
    sqlx::query(
        "INSERT INTO repository_moves (repository_id, verb, new_name, number, wished_by, wished_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (repository_id) DO UPDATE SET
             verb = excluded.verb, new_name = excluded.new_name, number = excluded.number,
             wished_by = excluded.wished_by, wished_at = excluded.wished_at",
    )
    .bind(id)
    .bind(wish.as_str())
    .bind(new_name)
    .bind(number)
    .bind(by)
    .bind(micros(now))
    .execute(connection)
    .await?;
    let number = u64::try_from(number).unwrap_or_default();
    let repository = parsed(&row, "name")?;
    Ok(Wished::Stands(MoveRequest { number, repository_id: id.to_owned(), repository, verb: verb.clone() }))
}

/// Whether a repository or namespace has the name, or holds it, or a repository is about to get it.
async fn is_taken(connection: &mut SqliteConnection, name: &RepositoryName) -> sqlx::Result<bool> {
    let taken = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM repositories WHERE name = $1) OR EXISTS (SELECT 1 FROM namespace_names WHERE name = $1)
             OR EXISTS (SELECT 1 FROM repository_moves WHERE new_name = $1)",
    );
    taken.bind(name.as_str()).fetch_one(connection).await
}

/// Whether it was still that one.
async fn remove_wish(connection: &mut SqliteConnection, request: &MoveRequest) -> sqlx::Result<bool> {
    let removed = sqlx::query("DELETE FROM repository_moves WHERE repository_id = $1 AND number = $2")
        .bind(&request.repository_id)
        .bind(bigint(request.number))
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() > 0)
}

async fn restored(connection: &mut SqliteConnection, id: &str, now: Timestamp) -> sqlx::Result<()> {
    let restore = sqlx::query("UPDATE repositories SET deleted_at = NULL, updated_at = $2 WHERE id = $1");
    restore.bind(id).bind(micros(now)).execute(connection).await.map(drop)
}

async fn renamed(connection: &mut SqliteConnection, id: &str, to: &RepositoryName, now: Timestamp) -> sqlx::Result<()> {
    let rename = sqlx::query("UPDATE repositories SET name = $2, updated_at = $3 WHERE id = $1");
    rename.bind(id).bind(to.as_str()).bind(micros(now)).execute(&mut *connection).await?;
    revoke(connection, &Revoked::Repository(id.to_owned())).await
}

/// The repository's records, those that name others first.
async fn purged(connection: &mut SqliteConnection, id: &str) -> sqlx::Result<()> {
    for statement in [
        "DELETE FROM tag_history WHERE repository_id = $1",
        "DELETE FROM tags WHERE repository_id = $1",
        "DELETE FROM manifest_references WHERE repository_id = $1",
        "DELETE FROM manifests WHERE repository_id = $1",
        "DELETE FROM grants WHERE repository_id = $1",
        "DELETE FROM repositories WHERE id = $1",
    ] {
        sqlx::query(statement).bind(id).execute(&mut *connection).await?;
    }
    Ok(())
}
