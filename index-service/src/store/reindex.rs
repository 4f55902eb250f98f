//! Rows for what is found in storage, and what registries told of it before.

use super::database::Database;
use super::error::StoreError;
use super::namespaces::{claim, namespace_owner};
use super::organisations::insert_organisation;
use super::rows::{micros, parsed};
use super::{Claim, new_id};
use crate::model::holdings::{Adoption, Found, Holdings, WhyLeft};
use crate::model::names::new_namespace;
use crate::model::{Account, Organisation, Visibility};
use jiff::Timestamp;
use shared::{NamespaceName, RepositoryName};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

impl Database {
    /// Takes a repository found in storage into the index, private, unless it would be somebody's who must not get it by
    /// chance. A namespace that is missing becomes an organisation that `admin` owns.
    pub async fn adopt(&self, found: &Found<'_>, admin: &Account, now: Timestamp) -> Result<Adoption, StoreError> {
        let mut transaction = self.write().await?;
        let adoption = adopt(&mut transaction, found, admin, now).await?;
        transaction.commit().await?;
        Ok(adoption)
    }

    /// The same, and nothing is changed.
    pub async fn would_adopt(
        &self,
        found: &Found<'_>,
        admin: &Account,
        now: Timestamp,
    ) -> Result<Adoption, StoreError> {
        let mut transaction = self.write().await?;
        Ok(adopt(&mut transaction, found, admin, now).await?)
    }

    /// Whether a repository has this id, deleted or not.
    pub async fn knows_repository(&self, id: &str) -> Result<bool, StoreError> {
        let known = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM repositories WHERE id = $1)");
        Ok(known.bind(id).fetch_one(&mut *self.reader().await?).await?)
    }

    /// What registries told of the repository.
    pub async fn holdings(&self, repository_id: &str) -> Result<Holdings, StoreError> {
        let mut transaction = self.read().await?;
        let manifests: Vec<SqliteRow> =
            sqlx::query("SELECT digest FROM manifests WHERE repository_id = $1 AND deleted_at IS NULL")
                .bind(repository_id)
                .fetch_all(&mut *transaction)
                .await?;
        let tags: Vec<SqliteRow> =
            sqlx::query("SELECT name, digest FROM tags WHERE repository_id = $1 AND digest IS NOT NULL")
                .bind(repository_id)
                .fetch_all(&mut *transaction)
                .await?;
        let manifests = manifests.iter().map(|row| parsed(row, "digest")).collect::<sqlx::Result<_>>()?;
        let tags = tags.iter().map(|row| Ok((parsed(row, "name")?, parsed(row, "digest")?)));
        Ok(Holdings { manifests, tags: tags.collect::<sqlx::Result<_>>()? })
    }

    /// Some repositories with content, by name and id, that come after the name `after`.
    pub async fn repositories_after(
        &self,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(RepositoryName, String)>, StoreError> {
        let rows: Vec<SqliteRow> = sqlx::query(
            "SELECT name, id FROM repositories WHERE state = 'ready' AND deleted_at IS NULL AND name > $1
             ORDER BY name LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        Ok(rows.iter().map(|row| Ok((parsed(row, "name")?, row.try_get("id")?))).collect::<sqlx::Result<_>>()?)
    }
}

async fn adopt(
    connection: &mut SqliteConnection,
    found: &Found<'_>,
    admin: &Account,
    now: Timestamp,
) -> sqlx::Result<Adoption> {
    let name = found.name.as_str();
    let by_name: Option<String> = sqlx::query_scalar("SELECT id FROM repositories WHERE name = $1")
        .bind(name)
        .fetch_optional(&mut *connection)
        .await?;
    match (by_name, found.id) {
        (Some(known), Some(id)) if known == id => return Ok(Adoption::Known(known)),
        (Some(_), Some(_)) => return Ok(Adoption::Left(WhyLeft::NameTaken)),
        (known, None) => match namespace_for(connection, found, admin, now).await? {
            Err(why) => return Ok(Adoption::Left(why)),
            Ok(()) if known.is_some() => return Ok(known.map_or(Adoption::Left(WhyLeft::NameTaken), Adoption::Adopted)),
            Ok(()) => {}
        },
        (None, Some(id)) => {
            let other: Option<String> = sqlx::query_scalar("SELECT name FROM repositories WHERE id = $1")
                .bind(id)
                .fetch_optional(&mut *connection)
                .await?;
            if let Some(other) = other {
                return Ok(Adoption::Left(WhyLeft::OtherName(other)));
            }
            if let Err(why) = namespace_for(connection, found, admin, now).await? {
                return Ok(Adoption::Left(why));
            }
        }
    }
    let id = found.id.map_or_else(new_id, str::to_owned);
    let made = sqlx::query(
        "INSERT INTO repositories
             (id, name, namespace_id, visibility, description, created_by, created_at, updated_at, deleted_at)
         SELECT $1, $2, n.id, $4, '', $5, $6, $6, $7 FROM live_namespaces n
         WHERE n.name = $3 AND NOT EXISTS (SELECT 1 FROM namespace_names b WHERE b.name = $2)",
    )
    .bind(&id)
    .bind(name)
    .bind(found.name.namespace().as_str())
    .bind(Visibility::Private.as_str())
    .bind(admin.name.as_str())
    .bind(micros(now))
    .bind(found.is_deleted.then(|| micros(now)))
    .execute(connection)
    .await?;
    Ok(if made.rows_affected() == 0 { Adoption::Left(WhyLeft::IsNamespace) } else { Adoption::Adopted(id) })
}

/// Makes sure that the repository's namespace is there and may have it.
async fn namespace_for(
    connection: &mut SqliteConnection,
    found: &Found<'_>,
    admin: &Account,
    now: Timestamp,
) -> sqlx::Result<Result<(), WhyLeft>> {
    let namespace = found.name.namespace();
    match namespace_owner(connection, &namespace, &admin.id).await? {
        Some(is_ours) if is_ours || found.give => Ok(Ok(())),
        Some(_) => Ok(Err(WhyLeft::NotOurs(namespace.to_string()))),
        None if may_be_made(connection, &namespace).await? => {
            let made = Organisation { display_name: namespace.to_string(), name: namespace, created_at: now };
            insert_organisation(connection, &made, &admin.id).await?;
            Ok(Ok(()))
        }
        None => Ok(Err(WhyLeft::NoNamespace(namespace.to_string()))),
    }
}

async fn may_be_made(connection: &mut SqliteConnection, namespace: &NamespaceName) -> sqlx::Result<bool> {
    Ok(new_namespace(namespace.as_str()).is_ok() && claim(connection, namespace).await? == Claim::Made)
}
