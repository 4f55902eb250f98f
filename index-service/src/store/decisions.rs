//! Decisions on registry tokens, written many at a time: nobody who is refused waits for it.

use super::database::Database;
use super::error::StoreError;
use super::rows::{micros, parsed_option, time};
use crate::model::Subject;
use crate::model::decision::Decision;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};
use std::net::IpAddr;

/// So many are kept at most: whoever asks for what is not theirs must not fill the disk.
const MOST: u32 = 10_000;

impl FromRow<'_, SqliteRow> for Decision {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            subject: Subject::named(row.try_get::<String, _>("subject")?),
            address: parsed_option(row, "address")?,
            asked: row.try_get("asked")?,
            granted: row.try_get("granted")?,
            decided_at: time(row, "decided_at")?,
        })
    }
}

impl Database {
    /// Keeps `decisions`, and forgets those from before `before`.
    pub async fn keep_decisions(&self, decisions: &[Decision], before: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        for decision in decisions {
            sqlx::query(
                "INSERT INTO decisions (id, subject, address, asked, granted, decided_at) VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(&decision.id)
            .bind(decision.subject.as_str())
            .bind(decision.address.as_ref().map(IpAddr::to_string))
            .bind(&decision.asked)
            .bind(&decision.granted)
            .bind(micros(decision.decided_at))
            .execute(&mut *transaction)
            .await?;
        }
        let old = sqlx::query("DELETE FROM decisions WHERE decided_at < $1");
        old.bind(micros(before)).execute(&mut *transaction).await?;
        let too_many = sqlx::query(
            "DELETE FROM decisions
             WHERE decided_at < (SELECT decided_at FROM decisions ORDER BY decided_at DESC LIMIT 1 OFFSET $1)",
        );
        too_many.bind(MOST).execute(&mut *transaction).await?;
        transaction.commit().await
    }

    /// The decision `id`.
    pub async fn decision(&self, id: &str) -> Result<Option<Decision>, StoreError> {
        let decision = sqlx::query_as("SELECT * FROM decisions WHERE id = $1").bind(id);
        Ok(decision.fetch_optional(&mut *self.reader().await?).await?)
    }
}
