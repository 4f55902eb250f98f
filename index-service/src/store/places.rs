//! What a subject meets at a repository name: everything a decision needs, in one statement.

use super::database::Database;
use super::error::StoreError;
use super::rows::{flag, parsed_option, unsigned};
use crate::model::moves::DeletedRepository;
use crate::model::{Occupant, Place, Repository, Standing, Subject};
use shared::RepositoryName;
use shared::revocations::Position;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, FromRow, Row, SqliteConnection};

/// `$1` the subject, `$2` the repository, `$3` its namespace by name, `$4` where the subject asks from. Always one row. A
/// repository that is there has the namespace of its row: that of a renamed organisation is called otherwise until the
/// repository has moved.
const PLACE: &str = concat!(
    "SELECT ",
    super::namespaces::standing_columns!("$4"),
    ", n.id IS NOT NULL AS namespace_exists,
       EXISTS (SELECT 1 FROM namespace_names b WHERE b.name = $2) AS is_namespace,
       EXISTS (SELECT 1 FROM repository_moves m WHERE m.new_name = $2) AS is_promised,
       (SELECT c.value FROM counters c WHERE c.name = 'revocation') AS as_of,
       ",
    super::grants::granted_role!("repository_id", "r.id"),
    " AS repository_grant,
       r.*, COALESCE(n.name, $3) AS namespace
     FROM (SELECT 1)
     LEFT JOIN accounts s ON s.name = $1 AND s.disabled_at IS NULL
     LEFT JOIN repositories r ON r.name = $2
     LEFT JOIN namespaces n ON n.id = COALESCE(r.namespace_id, (SELECT h.id FROM namespaces h WHERE h.name = $3))
         AND NOT EXISTS (SELECT 1 FROM organisations d WHERE d.id = n.organisation_id AND d.deleted_at IS NOT NULL)"
);

impl FromRow<'_, SqliteRow> for Place {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let is_there = row.try_get::<Option<&str>, _>("id")?.is_some();
        let is_deleted = row.try_get::<Option<i64>, _>("deleted_at")?.is_some();
        Ok(Self {
            standing: Standing::from_row(row)?,
            namespace_exists: flag(row, "namespace_exists")?,
            is_namespace: flag(row, "is_namespace")?,
            grant: parsed_option(row, "repository_grant")?,
            occupant: match (is_there, is_deleted) {
                (false, _) if flag(row, "is_promised")? => Occupant::Promised,
                (false, _) => Occupant::Free,
                (true, true) => Occupant::Deleted(DeletedRepository::from_row(row)?),
                (true, false) => Occupant::Live(Repository::from_row(row)?),
            },
        })
    }
}

impl Database {
    /// What `subject` meets at `name`.
    pub async fn place(&self, subject: &Subject, name: &RepositoryName) -> Result<Place, StoreError> {
        place(&mut *self.decider().await?, subject, name).await
    }

    /// What `subject` meets at each of `names`, in their order and all in one state of the rows; and where the feed of
    /// revocations stood in that state.
    pub async fn places(
        &self,
        subject: &Subject,
        names: &[RepositoryName],
    ) -> Result<(Vec<Place>, Position), StoreError> {
        // One statement sees one state by itself; most tokens are for one repository.
        if let [name] = names {
            let row = place_row(&mut *self.decider().await?, subject, name).await?;
            return Ok((vec![Place::from_row(&row)?], self.feed().position(unsigned(&row, "as_of")?)));
        }
        let mut decider = self.decider().await?;
        let mut transaction = decider.begin().await?;
        let as_of = sqlx::query("SELECT value FROM counters WHERE name = 'revocation'").fetch_one(&mut *transaction);
        let as_of = unsigned(&as_of.await?, 0)?;
        let mut places = Vec::with_capacity(names.len());
        for name in names {
            places.push(place(&mut transaction, subject, name).await?);
        }
        Ok((places, self.feed().position(as_of)))
    }
}

pub(super) async fn place(
    connection: &mut SqliteConnection,
    subject: &Subject,
    name: &RepositoryName,
) -> Result<Place, StoreError> {
    Ok(Place::from_row(&place_row(connection, subject, name).await?)?)
}

async fn place_row(
    connection: &mut SqliteConnection,
    subject: &Subject,
    name: &RepositoryName,
) -> sqlx::Result<SqliteRow> {
    let namespace = name.namespace();
    let row = sqlx::query(PLACE).bind(subject.as_str()).bind(name.as_str()).bind(namespace.as_str());
    row.bind(subject.origin().as_key()).fetch_one(connection).await
}
