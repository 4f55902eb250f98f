//! What registries tell of content: taken per digest and tag in the order of their numbers, whatever order it comes in.

use super::content::role_word;
use super::database::Database;
use super::error::StoreError;
use super::places::place;
use super::rows::{bigint, micros};
use crate::model::{Place, Subject};
use jiff::Timestamp;
use shared::internal::{CommitRequest, ManifestRecord, ManifestState, TagState};
use shared::{Digest, RepositoryName};
use sqlx::{Row, SqliteConnection};

/// The state columns of rows that one report sets.
struct Report<'a> {
    repository_id: &'a str,
    number: i64,
    actor: Option<&'a str>,
    now: i64,
}

/// What of a report was taken.
#[derive(Debug)]
pub enum Taken {
    /// The repository of that id is unknown or has another name: nothing.
    NoSuchRepository,
    /// All but these digests and tags, for which a larger number had been taken.
    AllBut(Vec<String>),
}

impl Database {
    /// A number larger than every one given before.
    pub async fn next_turn(&self) -> Result<i64, StoreError> {
        let mut transaction = self.write().await?;
        let number = turn(&mut transaction).await?;
        transaction.commit().await?;
        Ok(number)
    }

    /// What `subject` meets at `name`, and a number given in the same state of the rows.
    pub async fn place_and_turn(&self, subject: &Subject, name: &RepositoryName) -> Result<(Place, i64), StoreError> {
        let mut transaction = self.write().await?;
        let place = place(&mut transaction, subject, name).await?;
        let number = turn(&mut transaction).await?;
        transaction.commit().await?;
        Ok((place, number))
    }

    /// Takes what a registry tells, also of a deleted repository: its content may come back.
    pub async fn commit(&self, told: &CommitRequest, now: Timestamp) -> Result<Taken, StoreError> {
        let mut transaction = self.write().await?;
        let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM repositories WHERE id = $1 AND name = $2)")
            .bind(&told.repository_id)
            .bind(told.repository.as_str())
            .fetch_one(&mut *transaction)
            .await?;
        if !known {
            return Ok(Taken::NoSuchRepository);
        }
        let report = Report {
            repository_id: &told.repository_id,
            number: bigint(told.number),
            actor: told.actor.as_deref(),
            now: micros(now),
        };
        let mut late = Vec::new();
        for manifest in &told.manifests {
            if !take_manifest(&mut transaction, &report, manifest).await? {
                late.push(manifest.digest.to_string());
            }
        }
        for tag in &told.tags {
            if !take_tag(&mut transaction, &report, tag).await? {
                late.push(tag.tag.to_string());
            }
        }
        let has_manifest = told.manifests.iter().any(|manifest| manifest.record.is_some());
        touch_repository(&mut transaction, &report, has_manifest).await?;
        transaction.commit().await?;
        Ok(Taken::AllBut(late))
    }
}

pub(super) async fn turn(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("UPDATE counters SET value = value + 1 WHERE name = 'turn' RETURNING value")
        .fetch_one(connection)
        .await
}

/// A first manifest makes the repository ready; it stays so when the last one goes.
async fn touch_repository(
    connection: &mut SqliteConnection,
    report: &Report<'_>,
    has_manifest: bool,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE repositories SET updated_at = $2, state = CASE WHEN $3 = 1 THEN 'ready' ELSE state END WHERE id = $1",
    )
    .bind(report.repository_id)
    .bind(report.now)
    .bind(i64::from(has_manifest))
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether it was taken. What only storage told never overwrites who pushed and when.
async fn take_manifest(
    connection: &mut SqliteConnection,
    report: &Report<'_>,
    state: &ManifestState,
) -> sqlx::Result<bool> {
    let (media_type, size) = state.record.as_ref().map_or(("", 0), |record| (record.media_type.as_str(), record.size));
    let taken = sqlx::query(
        "INSERT INTO manifests (repository_id, digest, media_type, size_bytes, pushed_by, pushed_at, deleted_at, number)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (repository_id, digest) DO UPDATE SET
             media_type = CASE WHEN excluded.deleted_at IS NULL THEN excluded.media_type ELSE manifests.media_type END,
             size_bytes = CASE WHEN excluded.deleted_at IS NULL THEN excluded.size_bytes ELSE manifests.size_bytes END,
             pushed_by = CASE WHEN $9 = 1 THEN excluded.pushed_by ELSE manifests.pushed_by END,
             pushed_at = CASE WHEN $9 = 1 THEN excluded.pushed_at ELSE manifests.pushed_at END,
             deleted_at = excluded.deleted_at,
             number = excluded.number
         WHERE excluded.number > manifests.number",
    )
    .bind(report.repository_id)
    .bind(state.digest.as_str())
    .bind(media_type)
    .bind(bigint(size))
    .bind(state.record.as_ref().and(report.actor))
    .bind(report.now)
    .bind(state.record.is_none().then_some(report.now))
    .bind(report.number)
    .bind(i64::from(state.record.is_some() && report.actor.is_some()))
    .execute(&mut *connection)
    .await?;
    if taken.rows_affected() == 0 {
        return Ok(false);
    }
    if let Some(record) = &state.record {
        insert_references(connection, report.repository_id, &state.digest, record).await?;
    }
    Ok(true)
}

/// A digest names the same things for ever: what is there already is right.
async fn insert_references(
    connection: &mut SqliteConnection,
    repository_id: &str,
    manifest: &Digest,
    record: &ManifestRecord,
) -> sqlx::Result<()> {
    for (ordinal, reference) in (0_i64..).zip(&record.references) {
        sqlx::query(
            "INSERT INTO manifest_references
                 (repository_id, manifest_digest, ordinal, role, digest, size_bytes, media_type, platform)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (repository_id, manifest_digest, ordinal) DO NOTHING",
        )
        .bind(repository_id)
        .bind(manifest.as_str())
        .bind(ordinal)
        .bind(role_word(reference.role))
        .bind(reference.digest.as_str())
        .bind(bigint(reference.size))
        .bind(&reference.media_type)
        .bind(&reference.platform)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Whether it was taken. Only a real move is history; confirming where a tag stands changes its number alone.
async fn take_tag(connection: &mut SqliteConnection, report: &Report<'_>, state: &TagState) -> sqlx::Result<bool> {
    let digest = state.digest.as_ref().map(Digest::as_str);
    let before = sqlx::query("SELECT digest, number FROM tags WHERE repository_id = $1 AND name = $2")
        .bind(report.repository_id)
        .bind(state.tag.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    let (digest_before, number_before): (Option<String>, i64) = match &before {
        Some(row) => (row.try_get("digest")?, row.try_get("number")?),
        None => (None, i64::MIN),
    };
    if number_before >= report.number {
        return Ok(false);
    }
    let moved = digest_before.as_deref() != digest;
    sqlx::query(
        "INSERT INTO tags (repository_id, name, digest, number, updated_by, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (repository_id, name) DO UPDATE SET
             digest = excluded.digest,
             number = excluded.number,
             updated_by = CASE WHEN $7 = 1 THEN excluded.updated_by ELSE tags.updated_by END,
             updated_at = CASE WHEN $7 = 1 THEN excluded.updated_at ELSE tags.updated_at END",
    )
    .bind(report.repository_id)
    .bind(state.tag.as_str())
    .bind(digest)
    .bind(report.number)
    .bind(report.actor)
    .bind(report.now)
    .bind(i64::from(moved))
    .execute(&mut *connection)
    .await?;
    if moved {
        sqlx::query(
            "INSERT INTO tag_history (repository_id, name, number, digest, moved_by, moved_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(report.repository_id)
        .bind(state.tag.as_str())
        .bind(report.number)
        .bind(digest)
        .bind(report.actor)
        .bind(report.now)
        .execute(connection)
        .await?;
    }
    Ok(true)
}
