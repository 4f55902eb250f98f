//! What a subject meets at a repository name: everything a decision needs, in one statement for several of them.

use super::database::Database;
use super::error::StoreError;
use super::questions::{MOST, Question, number};
use super::rows::{flag, parsed_option, unsigned};
use crate::model::moves::DeletedRepository;
use crate::model::{Occupant, Place, Repository, Standing, Subject};
use shared::RepositoryName;
use shared::revocations::Position;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, FromRow, Row, SqliteConnection};

/// For each row of `asked`, one row. A repository that is there has the namespace of its row: that of a renamed organisation
/// is called otherwise until the repository has moved.
const PLACES: &str = concat!(
    "WITH asked (number, subject, repository, namespace, origin) AS (VALUES
         (0, $1, $2, $3, $4), (1, $5, $6, $7, $8), (2, $9, $10, $11, $12), (3, $13, $14, $15, $16),
         (4, $17, $18, $19, $20), (5, $21, $22, $23, $24), (6, $25, $26, $27, $28), (7, $29, $30, $31, $32))
     SELECT q.number, ",
    super::namespaces::standing_columns!("q.subject", "q.origin"),
    ", n.id IS NOT NULL AS namespace_exists,
       EXISTS (SELECT 1 FROM namespace_names b WHERE b.name = q.repository) AS is_namespace,
       EXISTS (SELECT 1 FROM repository_moves m WHERE m.new_name = q.repository) AS is_promised,
       (SELECT c.value FROM counters c WHERE c.name = 'revocation') AS as_of,
       ",
    super::grants::granted_role!("repository_id", "r.id"),
    " AS repository_grant,
       r.*, COALESCE(n.name, q.namespace) AS namespace
     FROM asked q
     LEFT JOIN accounts s ON s.name = q.subject AND s.disabled_at IS NULL
     LEFT JOIN repositories r ON r.name = q.repository
     LEFT JOIN namespaces h ON h.name = q.namespace
     LEFT JOIN namespaces n ON n.id = COALESCE(r.namespace_id, h.id)
         AND NOT EXISTS (SELECT 1 FROM organisations d WHERE d.id = n.organisation_id AND d.deleted_at IS NOT NULL)
     WHERE q.subject IS NOT NULL"
);

/// A subject and a repository name: what does it meet there?
pub(super) struct PlaceQuestion {
    subject: String,
    origin: String,
    repository: String,
    namespace: String,
}

impl PlaceQuestion {
    fn new(subject: &Subject, name: &RepositoryName) -> Self {
        Self {
            subject: subject.as_str().to_owned(),
            origin: subject.origin().as_key(),
            repository: name.to_string(),
            namespace: name.namespace().to_string(),
        }
    }
}

impl Question for PlaceQuestion {
    /// With where the feed of revocations stood.
    type Answer = (Place, u64);

    async fn ask(connection: &mut SqliteConnection, asked: &[Self]) -> sqlx::Result<Vec<SqliteRow>> {
        let mut rows = sqlx::query(PLACES);
        for number in 0..MOST {
            let asked = asked.get(number);
            rows = rows
                .bind(asked.map(|asked| asked.subject.as_str()))
                .bind(asked.map(|asked| asked.repository.as_str()))
                .bind(asked.map(|asked| asked.namespace.as_str()))
                .bind(asked.map(|asked| asked.origin.as_str()));
        }
        rows.fetch_all(connection).await
    }

    fn read(row: &SqliteRow) -> sqlx::Result<Self::Answer> {
        Ok((Place::from_row(row)?, unsigned(row, "as_of")?))
    }
}

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
        Ok(self.place_and_position(subject, name).await?.0)
    }

    /// What `subject` meets at each of `names`, in their order and all in one state of the rows; and where the feed of
    /// revocations stood in that state.
    pub async fn places(
        &self,
        subject: &Subject,
        names: &[RepositoryName],
    ) -> Result<(Vec<Place>, Position), StoreError> {
        // Most tokens are for one repository.
        if let [name] = names {
            let (place, as_of) = self.place_and_position(subject, name).await?;
            return Ok((vec![place], self.feed().position(as_of)));
        }
        let mut decider = self.decider().await?;
        let mut transaction = decider.begin().await?;
        let as_of = sqlx::query("SELECT value FROM counters WHERE name = 'revocation'").fetch_one(&mut *transaction);
        let as_of = unsigned(&as_of.await?, 0)?;
        let questions: Vec<PlaceQuestion> = names.iter().map(|name| PlaceQuestion::new(subject, name)).collect();
        let mut places = Vec::with_capacity(names.len());
        for questions in questions.chunks(MOST) {
            let mut answers = Vec::with_capacity(questions.len());
            for row in PlaceQuestion::ask(&mut transaction, questions).await? {
                answers.push((number(&row)?, Place::from_row(&row)?));
            }
            answers.sort_by_key(|(number, _)| *number);
            places.extend(answers.into_iter().map(|(_, place)| place));
        }
        Ok((places, self.feed().position(as_of)))
    }

    async fn place_and_position(&self, subject: &Subject, name: &RepositoryName) -> Result<(Place, u64), StoreError> {
        let answer = self.place_questions().ask(PlaceQuestion::new(subject, name)).await?;
        answer.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }
}

/// The same in the midst of a transaction.
pub(super) async fn place(
    connection: &mut SqliteConnection,
    subject: &Subject,
    name: &RepositoryName,
) -> Result<Place, StoreError> {
    let row = PlaceQuestion::ask(connection, &[PlaceQuestion::new(subject, name)]).await?.pop();
    Ok(Place::from_row(&row.ok_or(sqlx::Error::RowNotFound)?)?)
}
