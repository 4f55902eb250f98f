//! Namespaces, and what a subject is in one of them.

use super::Claim;
use super::database::Database;
use super::error::StoreError;
use super::lists::{ListSql, list};
use super::rows::{flag, micros, parsed, parsed_option, time};
use super::visibility::with_visible;
use crate::model::{InstanceRole, Namespace, NamespaceChange, Page, Paged, Standing, Subject, Visibility};
use jiff::Timestamp;
use shared::NamespaceName;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

/// Columns of a [`Standing`]: `s` is the subject's account or NULL, `n` the namespace or NULL, `$subject` the subject's name,
/// `$from` where it asks from. From where the namespace may not be used, only an administrator of the instance is anybody.
macro_rules! standing_columns {
    ($subject:literal, $from:literal) => {
        concat!(
            "((",
            $subject,
            " = '' OR s.id IS NOT NULL) AND (COALESCE(s.is_admin + s.is_auditor, 0) > 0 OR NOT ",
            crate::store::networks::is_closed!("n.id", $from),
            ")) AS is_good, s.is_admin AS is_admin, s.is_auditor AS is_auditor, n.account_id = s.id AS owns_namespace,
         (SELECT m.role FROM members m
          WHERE m.organisation_id = n.organisation_id AND m.account_id = s.id) AS membership, ",
            crate::store::grants::granted_role!("namespace_id", "n.id"),
            " AS namespace_grant"
        )
    };
}

pub(super) use standing_columns;

/// Columns of a [`Namespace`] `n`.
macro_rules! namespace_columns {
    () => {
        "n.id, n.name, n.description, n.default_visibility, n.created_at,
         CASE WHEN n.account_id IS NOT NULL THEN 'account'
              WHEN n.organisation_id IS NOT NULL THEN 'organisation' ELSE 'built_in' END AS kind"
    };
}

/// A namespace with what a subject is there.
#[derive(Debug)]
pub struct NamespaceStanding {
    /// The namespace.
    pub namespace: Namespace,
    /// The subject in it.
    pub standing: Standing,
}

impl FromRow<'_, SqliteRow> for Standing {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            is_good: flag(row, "is_good")?,
            instance_role: match (flag(row, "is_admin")?, flag(row, "is_auditor")?) {
                (true, _) => Some(InstanceRole::Admin),
                (false, true) => Some(InstanceRole::Auditor),
                (false, false) => None,
            },
            owns_namespace: flag(row, "owns_namespace")?,
            membership: parsed_option(row, "membership")?,
            grant: parsed_option(row, "namespace_grant")?,
        })
    }
}

impl FromRow<'_, SqliteRow> for Namespace {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            name: parsed(row, "name")?,
            kind: parsed(row, "kind")?,
            description: row.try_get("description")?,
            default_visibility: parsed(row, "default_visibility")?,
            created_at: time(row, "created_at")?,
        })
    }
}

impl FromRow<'_, SqliteRow> for NamespaceStanding {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self { namespace: Namespace::from_row(row)?, standing: Standing::from_row(row)? })
    }
}

impl Database {
    /// The namespace `name`, if `subject` may see it.
    pub async fn namespace(
        &self,
        subject: &Subject,
        name: &NamespaceName,
    ) -> Result<Option<NamespaceStanding>, StoreError> {
        const NAMESPACE: &str = with_visible!(
            "SELECT ",
            namespace_columns!(),
            ", ",
            standing_columns!("$1", "$2"),
            " FROM visible_namespaces v JOIN namespaces n ON n.id = v.id
              LEFT JOIN accounts s ON s.name = $1 AND s.disabled_at IS NULL
              WHERE n.name = $3"
        );
        let namespace = sqlx::query_as(NAMESPACE)
            .bind(subject.as_str())
            .bind(subject.origin().as_key())
            .bind(name.as_str())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        Ok(namespace)
    }

    /// A page of the namespaces that `subject` may see.
    pub async fn namespaces(&self, subject: &Subject, page: &Page) -> Result<Paged<Namespace>, StoreError> {
        const NAMESPACES: ListSql = list!(
            with_visible!(""),
            namespace_columns!(),
            "visible_namespaces v JOIN namespaces n ON n.id = v.id WHERE TRUE",
            "n.name",
            " > $3",
            "",
            " LIMIT $4"
        );
        let from = subject.origin().as_key();
        self.page(&NAMESPACES, &[Some(subject.as_str()), Some(&from)], page).await
    }

    /// Changes a namespace; `None` if it is gone.
    pub async fn change_namespace(&self, id: &str, change: &NamespaceChange) -> Result<Option<Namespace>, StoreError> {
        const NAMESPACE: &str = concat!(
            "SELECT ",
            namespace_columns!(),
            " FROM live_namespaces l JOIN namespaces n ON n.id = l.id WHERE n.id = $1"
        );
        let mut transaction = self.write().await?;
        sqlx::query(
            "UPDATE namespaces SET
                 description = COALESCE($2, description), default_visibility = COALESCE($3, default_visibility)
             WHERE id = $1",
        )
        .bind(id)
        .bind(&change.description)
        .bind(change.default_visibility.map(Visibility::as_str))
        .execute(&mut *transaction)
        .await?;
        let namespace = sqlx::query_as(NAMESPACE).bind(id).fetch_optional(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(namespace)
    }
}

/// To whom a new namespace belongs, by id.
#[derive(Clone, Copy)]
pub(super) enum Owner<'a> {
    Account(&'a str),
    Organisation(&'a str),
}

/// Makes the namespace of an owner just made, unless a namespace or a bare repository has the name.
pub(super) async fn insert_namespace(
    connection: &mut SqliteConnection,
    name: &NamespaceName,
    owner: Owner<'_>,
    now: Timestamp,
) -> sqlx::Result<()> {
    let (account, organisation) = match owner {
        Owner::Account(id) => (Some(id), None),
        Owner::Organisation(id) => (None, Some(id)),
    };
    sqlx::query(
        "INSERT INTO namespaces (id, name, account_id, organisation_id, created_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(super::new_id())
    .bind(name.as_str())
    .bind(account)
    .bind(organisation)
    .bind(micros(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether a new account or organisation may have `name`: no namespace and no bare repository has it, holds it, or is
/// about to get it.
pub(super) async fn claim(connection: &mut SqliteConnection, name: &NamespaceName) -> sqlx::Result<Claim> {
    let taken: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM namespace_names WHERE name = $1) OR EXISTS (SELECT 1 FROM repositories WHERE name = $1)
             OR EXISTS (SELECT 1 FROM repository_moves WHERE new_name = $1)",
    )
    .bind(name.as_str())
    .fetch_one(connection)
    .await?;
    Ok(if taken { Claim::Taken } else { Claim::Made })
}

/// Whether the namespace `name` belongs to the account `account_id` and to nobody beside it; `library`, which is nobody's,
/// does. `None` if there is none where anything can be.
pub(super) async fn namespace_owner(
    connection: &mut SqliteConnection,
    name: &NamespaceName,
    account_id: &str,
) -> sqlx::Result<Option<bool>> {
    let row: Option<SqliteRow> = sqlx::query(
        "SELECT n.account_id = $2 OR (n.account_id IS NULL AND n.organisation_id IS NULL)
             OR (EXISTS (SELECT 1 FROM members m WHERE m.organisation_id = n.organisation_id AND m.account_id = $2)
                 AND NOT EXISTS (SELECT 1 FROM members m WHERE m.organisation_id = n.organisation_id AND m.account_id <> $2)
                 AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.namespace_id = n.id)) AS is_ours
         FROM live_namespaces n WHERE n.name = $1",
    )
    .bind(name.as_str())
    .bind(account_id)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(|row| flag(row, "is_ours")).transpose()
}
