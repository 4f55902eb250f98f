//! Organisations that get another name: every row that has the old one changes in one transaction, save for the names of
//! repositories that lie in storage, which change when those have moved.

use super::Claim;
use super::database::Database;
use super::error::StoreError;
use super::moves::{Wished, wish};
use super::namespaces::claim;
use super::organisations::organisation_id;
use super::revocations::revoke;
use super::robots::revoke_robots;
use super::rows::{flag, micros, parsed};
use jiff::Timestamp;
use shared::moves::{Move, MoveRequest};
use shared::revocations::Revoked;
use shared::{NamespaceName, RepositoryName};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// What came of a new name. Nothing was changed unless it is `Renamed`.
#[derive(Debug)]
pub enum OrganisationRenamed {
    /// It is so now, and this is wished of storage.
    Renamed(Vec<MoveRequest>),
    /// There is no such organisation.
    Unknown,
    /// The name is somebody's, or was.
    NameTaken,
    /// What was wished of this repository is not done yet.
    Moving(RepositoryName),
    /// With the new name that of this repository would be none.
    TooLong(RepositoryName),
}

impl Database {
    /// Gives an organisation, its namespace, its robots and all repositories there a new name.
    pub async fn rename_organisation(
        &self,
        name: &NamespaceName,
        to: &NamespaceName,
        by: &str,
        now: Timestamp,
    ) -> Result<OrganisationRenamed, StoreError> {
        let mut transaction = self.write().await?;
        let renamed = rename(&mut transaction, name, to, by, now).await?;
        if matches!(renamed, OrganisationRenamed::Renamed(_)) {
            self.commit_revocation(transaction).await?;
        }
        Ok(renamed)
    }
}

async fn rename(
    connection: &mut SqliteConnection,
    name: &NamespaceName,
    to: &NamespaceName,
    by: &str,
    now: Timestamp,
) -> sqlx::Result<OrganisationRenamed> {
    let Some(id) = organisation_id(connection, name).await? else { return Ok(OrganisationRenamed::Unknown) };
    // What was its own name before it may have again.
    let own = sqlx::query("DELETE FROM former_names WHERE name = $1 AND organisation_id = $2");
    own.bind(to.as_str()).bind(&id).execute(&mut *connection).await?;
    if claim(connection, to).await? == Claim::Taken {
        return Ok(OrganisationRenamed::NameTaken);
    }
    if let Some(repository) = moving(connection, &id).await? {
        return Ok(OrganisationRenamed::Moving(repository));
    }
    revoke(connection, &Revoked::Namespace(name.to_string())).await?;
    revoke_robots(connection, name).await?;
    rename_rows(connection, &id, name, to, now).await?;
    move_repositories(connection, &id, name, to, by, now).await
}

/// A repository of the organisation of which something is wished.
async fn moving(connection: &mut SqliteConnection, organisation_id: &str) -> sqlx::Result<Option<RepositoryName>> {
    let row: Option<SqliteRow> = sqlx::query(
        "SELECT r.name FROM namespaces n JOIN repositories r ON r.namespace_id = n.id
         JOIN repository_moves w ON w.repository_id = r.id
         WHERE n.organisation_id = $1 ORDER BY r.name LIMIT 1",
    )
    .bind(organisation_id)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(|row| parsed(row, "name")).transpose()
}

/// The organisation, its namespace and its robots; the old name is held.
async fn rename_rows(
    connection: &mut SqliteConnection,
    organisation_id: &str,
    name: &NamespaceName,
    to: &NamespaceName,
    now: Timestamp,
) -> sqlx::Result<()> {
    for statement in [
        "UPDATE organisations SET name = $2 WHERE id = $1",
        "UPDATE namespaces SET name = $2 WHERE organisation_id = $1",
        "UPDATE accounts SET name = $2 || substr(name, length($3) + 1) WHERE organisation_id = $1",
        "INSERT INTO former_names (organisation_id, name, renamed_at) VALUES ($1, $3, $4)",
    ] {
        sqlx::query(statement)
            .bind(organisation_id)
            .bind(to.as_str())
            .bind(name.as_str())
            .bind(micros(now))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// What lies in storage gets a wish; what is put away lies under its id, and is only called otherwise.
async fn move_repositories(
    connection: &mut SqliteConnection,
    organisation_id: &str,
    name: &NamespaceName,
    to: &NamespaceName,
    by: &str,
    now: Timestamp,
) -> sqlx::Result<OrganisationRenamed> {
    let rows: Vec<SqliteRow> = sqlx::query(
        "SELECT r.id, r.name, r.deleted_at IS NOT NULL AS is_deleted
         FROM namespaces n JOIN repositories r ON r.namespace_id = n.id WHERE n.organisation_id = $1 ORDER BY r.name",
    )
    .bind(organisation_id)
    .fetch_all(&mut *connection)
    .await?;
    let mut wishes = Vec::new();
    for row in rows {
        let (id, former): (String, RepositoryName) = (row.try_get("id")?, parsed(&row, "name")?);
        let rest = former.as_str().strip_prefix(name.as_str()).unwrap_or_default();
        let Ok(new) = RepositoryName::parse(&format!("{to}{rest}")) else {
            return Ok(OrganisationRenamed::TooLong(former));
        };
        if flag(&row, "is_deleted")? {
            let rename = sqlx::query("UPDATE repositories SET name = $2 WHERE id = $1");
            rename.bind(id).bind(new.as_str()).execute(&mut *connection).await?;
            continue;
        }
        match wish(connection, &id, &Move::Rename { to: new }, by, now).await? {
            Wished::Stands(request) => wishes.push(request),
            Wished::Moving | Wished::NoSuchRepository => return Ok(OrganisationRenamed::Moving(former)),
            Wished::NameTaken => return Ok(OrganisationRenamed::NameTaken),
        }
    }
    Ok(OrganisationRenamed::Renamed(wishes))
}
