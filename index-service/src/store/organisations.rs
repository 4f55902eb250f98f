//! Organisations, each made together with its namespace and its first owner.

use super::database::Database;
use super::error::StoreError;
use super::lists::{ListSql, list};
use super::namespaces::{Owner, claim, insert_namespace};
use super::revocations::revoke;
use super::robots::disable_robots;
use super::rows::{micros, parsed, time};
use super::teams::delete_grants_of_teams;
use super::visibility::{containing, with_visible};
use super::{Claim, new_id};
use crate::model::{MemberRole, Organisation, Page, Paged, Subject};
use jiff::Timestamp;
use shared::NamespaceName;
use shared::revocations::Revoked;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

/// What came of deleting an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganisationDeleted {
    /// It is gone; its name stays held.
    Deleted,
    /// There is no such organisation.
    Unknown,
    /// It still has repositories; nothing was changed.
    HasRepositories,
}

impl FromRow<'_, SqliteRow> for Organisation {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            name: parsed(row, "name")?,
            display_name: row.try_get("display_name")?,
            created_at: time(row, "created_at")?,
        })
    }
}

impl Database {
    /// A page of the organisations that `subject` may see, perhaps only those with `text` in a name.
    pub async fn organisations(
        &self,
        subject: &Subject,
        text: Option<&str>,
        page: &Page,
    ) -> Result<Paged<Organisation>, StoreError> {
        const ORGANISATIONS: ListSql = list!(
            with_visible!(""),
            "o.*",
            r"visible_namespaces n JOIN organisations o ON o.id = n.organisation_id
              WHERE ($3 IS NULL OR o.name LIKE $3 ESCAPE '\' OR lower(o.display_name) LIKE $3 ESCAPE '\')",
            "o.name",
            " > $4",
            "",
            " LIMIT $5"
        );
        let (from, pattern) = (subject.origin().as_key(), text.map(containing));
        self.page(&ORGANISATIONS, &[Some(subject.as_str()), Some(&from), pattern.as_deref()], page).await
    }

    /// The organisation `name`, whoever asks.
    pub async fn organisation(&self, name: &NamespaceName) -> Result<Option<Organisation>, StoreError> {
        let organisation = sqlx::query_as("SELECT * FROM organisations WHERE name = $1 AND deleted_at IS NULL");
        Ok(organisation.bind(name.as_str()).fetch_optional(&mut *self.reader().await?).await?)
    }

    /// Makes an organisation with its namespace; `owner`, an account's id, becomes its first owner.
    pub async fn create_organisation(&self, organisation: &Organisation, owner: &str) -> Result<Claim, StoreError> {
        let mut transaction = self.write().await?;
        if claim(&mut transaction, &organisation.name).await? == Claim::Taken {
            return Ok(Claim::Taken);
        }
        insert_organisation(&mut transaction, organisation, owner).await?;
        transaction.commit().await?;
        Ok(Claim::Made)
    }

    /// Changes what people call an organisation; `None` if there is none of that name.
    pub async fn set_display_name(
        &self,
        name: &NamespaceName,
        display_name: &str,
    ) -> Result<Option<Organisation>, StoreError> {
        let mut transaction = self.write().await?;
        let organisation = sqlx::query_as(
            "UPDATE organisations SET display_name = $2 WHERE name = $1 AND deleted_at IS NULL RETURNING *",
        )
        .bind(name.as_str())
        .bind(display_name)
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(organisation)
    }

    /// Deletes an organisation that has no repositories. Its rows stay: they hold the name.
    pub async fn delete_organisation(
        &self,
        name: &NamespaceName,
        now: Timestamp,
    ) -> Result<OrganisationDeleted, StoreError> {
        let mut transaction = self.write().await?;
        let has_repositories: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM repositories r JOIN namespaces n ON n.id = r.namespace_id
                            WHERE n.name = $1 AND r.deleted_at IS NULL)",
        )
        .bind(name.as_str())
        .fetch_one(&mut *transaction)
        .await?;
        if has_repositories {
            return Ok(OrganisationDeleted::HasRepositories);
        }
        let deleted = sqlx::query("UPDATE organisations SET deleted_at = $2 WHERE name = $1 AND deleted_at IS NULL")
            .bind(name.as_str())
            .bind(micros(now))
            .execute(&mut *transaction)
            .await?;
        delete_grants_of_teams(&mut transaction, name).await?;
        disable_robots(&mut transaction, name, now).await?;
        revoke(&mut transaction, &Revoked::Namespace(name.to_string())).await?;
        self.commit_revocation(transaction).await?;
        Ok(if deleted.rows_affected() == 0 { OrganisationDeleted::Unknown } else { OrganisationDeleted::Deleted })
    }
}

/// The id of an organisation that is not deleted.
pub(super) async fn organisation_id(
    connection: &mut SqliteConnection,
    name: &NamespaceName,
) -> sqlx::Result<Option<String>> {
    let id = sqlx::query_scalar("SELECT id FROM organisations WHERE name = $1 AND deleted_at IS NULL");
    id.bind(name.as_str()).fetch_optional(connection).await
}

/// Makes an organisation, whose name is free, with its namespace; `owner`, an account's id, becomes its first owner.
pub(super) async fn insert_organisation(
    connection: &mut SqliteConnection,
    organisation: &Organisation,
    owner: &str,
) -> sqlx::Result<()> {
    let id = new_id();
    let now = organisation.created_at;
    sqlx::query("INSERT INTO organisations (id, name, display_name, created_at) VALUES ($1, $2, $3, $4)")
        .bind(&id)
        .bind(organisation.name.as_str())
        .bind(&organisation.display_name)
        .bind(micros(now))
        .execute(&mut *connection)
        .await?;
    insert_namespace(connection, &organisation.name, Owner::Organisation(&id), now).await?;
    sqlx::query("INSERT INTO members (organisation_id, account_id, role, created_at) VALUES ($1, $2, $3, $4)")
        .bind(&id)
        .bind(owner)
        .bind(MemberRole::Owner.as_str())
        .bind(micros(now))
        .execute(connection)
        .await?;
    Ok(())
}
