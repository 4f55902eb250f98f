//! Tags and manifests, read.

use super::database::Database;
use super::error::StoreError;
use super::lists::{ListSql, list};
use super::rows::{parsed, time, unsigned};
use crate::model::content::{ManifestEntry, TagEntry};
use crate::model::{Page, Paged};
use shared::internal::{ReferenceRecord, ReferenceRole};
use shared::{Digest, Tag};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

impl FromRow<'_, SqliteRow> for TagEntry {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            name: parsed(row, "name")?,
            digest: parsed(row, "digest")?,
            updated_by: row.try_get("updated_by")?,
            updated_at: time(row, "updated_at")?,
        })
    }
}

impl Database {
    /// A page of a repository's tags.
    pub async fn tags(&self, repository_id: &str, page: &Page) -> Result<Paged<TagEntry>, StoreError> {
        const TAGS: ListSql = list!(
            "",
            "t.*",
            "tags t WHERE t.repository_id = $1 AND t.digest IS NOT NULL",
            "t.name",
            " > $2",
            "",
            " LIMIT $3"
        );
        self.page(&TAGS, &[Some(repository_id)], page).await
    }

    /// One manifest of a repository, with at most a page of the tags that point at it.
    pub async fn manifest(&self, repository_id: &str, digest: &Digest) -> Result<Option<ManifestEntry>, StoreError> {
        let mut transaction = self.read().await?;
        let manifest =
            sqlx::query("SELECT * FROM manifests WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL")
                .bind(repository_id)
                .bind(digest.as_str())
                .fetch_optional(&mut *transaction)
                .await?;
        let Some(manifest) = manifest else { return Ok(None) };
        let references = sqlx::query(
            "SELECT * FROM manifest_references WHERE repository_id = $1 AND manifest_digest = $2 ORDER BY ordinal",
        )
        .bind(repository_id)
        .bind(digest.as_str())
        .fetch_all(&mut *transaction)
        .await?;
        let tags = sqlx::query("SELECT name FROM tags WHERE repository_id = $1 AND digest = $2 ORDER BY name LIMIT $3")
            .bind(repository_id)
            .bind(digest.as_str())
            .bind(Page::MAX_LIMIT)
            .fetch_all(&mut *transaction)
            .await?;
        Ok(Some(entry(&manifest, &references, &tags)?))
    }
}

fn entry(manifest: &SqliteRow, references: &[SqliteRow], tags: &[SqliteRow]) -> sqlx::Result<ManifestEntry> {
    Ok(ManifestEntry {
        digest: parsed(manifest, "digest")?,
        media_type: manifest.try_get("media_type")?,
        size_bytes: unsigned(manifest, "size_bytes")?,
        references: references.iter().map(reference).collect::<sqlx::Result<_>>()?,
        tags: tags.iter().map(|tag| parsed::<Tag>(tag, "name")).collect::<sqlx::Result<_>>()?,
        pushed_by: manifest.try_get("pushed_by")?,
        pushed_at: time(manifest, "pushed_at")?,
    })
}

fn reference(row: &SqliteRow) -> sqlx::Result<ReferenceRecord> {
    Ok(ReferenceRecord {
        role: role_of(row.try_get("role")?),
        digest: parsed(row, "digest")?,
        size: unsigned(row, "size_bytes")?,
        media_type: row.try_get("media_type")?,
        platform: row.try_get("platform")?,
    })
}

/// The word of a role in rows.
pub(super) fn role_word(role: ReferenceRole) -> &'static str {
    match role {
        ReferenceRole::Config => "config",
        ReferenceRole::Layer => "layer",
        ReferenceRole::Child => "child",
        ReferenceRole::Subject => "subject",
    }
}

/// The role of that word; the table holds no other.
fn role_of(word: &str) -> ReferenceRole {
    match word {
        "config" => ReferenceRole::Config,
        "child" => ReferenceRole::Child,
        "subject" => ReferenceRole::Subject,
        _ => ReferenceRole::Layer,
    }
}
