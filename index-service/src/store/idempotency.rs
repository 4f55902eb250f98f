//! Requests with a key of their own, and the answers to them.

use super::database::Database;
use super::error::StoreError;
use super::rows::micros;
use crate::model::idempotency::{IdempotencyKey, KEPT_FOR, KeptAnswer};
use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// What is known of a request with a key.
#[derive(Debug)]
pub enum Attempt {
    /// Nothing: it is noted as begun now.
    First,
    /// Another request has the key.
    OfAnother,
    /// It was begun before, and no answer is known.
    Begun,
    /// It was answered.
    Answered(KeptAnswer),
}

impl Database {
    /// Notes that an account begins a request, unless one with this key is known. Those of the day before are forgotten.
    pub async fn begin_request(
        &self,
        account_id: &str,
        key: &IdempotencyKey,
        request_hash: &str,
        now: Timestamp,
    ) -> Result<Attempt, StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM idempotent_requests WHERE begun_at < $1")
            .bind(micros(now - KEPT_FOR))
            .execute(&mut *transaction)
            .await?;
        let begun = sqlx::query(
            "INSERT INTO idempotent_requests (account_id, key_hash, request_hash, begun_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (account_id, key_hash) DO NOTHING",
        )
        .bind(account_id)
        .bind(key.hash())
        .bind(request_hash)
        .bind(micros(now))
        .execute(&mut *transaction)
        .await?;
        if begun.rows_affected() > 0 {
            transaction.commit().await?;
            return Ok(Attempt::First);
        }
        let row = sqlx::query("SELECT * FROM idempotent_requests WHERE account_id = $1 AND key_hash = $2")
            .bind(account_id)
            .bind(key.hash())
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(attempt(&row, request_hash)?)
    }

    /// Keeps the answer to a request that was begun.
    pub async fn keep_answer(
        &self,
        account_id: &str,
        key: &IdempotencyKey,
        answer: &KeptAnswer,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "UPDATE idempotent_requests SET status = $3, location = $4, body = $5, had_secret = $6
             WHERE account_id = $1 AND key_hash = $2",
        )
        .bind(account_id)
        .bind(key.hash())
        .bind(i64::from(answer.status))
        .bind(&answer.location)
        .bind(&answer.body)
        .bind(i64::from(answer.had_secret))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets a request that changed nothing.
    pub async fn forget_request(&self, account_id: &str, key: &IdempotencyKey) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM idempotent_requests WHERE account_id = $1 AND key_hash = $2")
            .bind(account_id)
            .bind(key.hash())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn attempt(row: &SqliteRow, request_hash: &str) -> sqlx::Result<Attempt> {
    if row.try_get::<&str, _>("request_hash")? != request_hash {
        return Ok(Attempt::OfAnother);
    }
    let Some(status) = row.try_get::<Option<u16>, _>("status")? else { return Ok(Attempt::Begun) };
    Ok(Attempt::Answered(KeptAnswer {
        status,
        location: row.try_get("location")?,
        body: row.try_get("body")?,
        had_secret: super::rows::flag(row, "had_secret")?,
    }))
}
