//! From where accounts signed in with their passwords. Only a right password makes a row, so no crowd fills this.

use super::database::Database;
use super::error::StoreError;
use super::rows::{micros, time};
use jiff::Timestamp;
use std::net::IpAddr;

/// Rows that are kept for one account: the latest.
const MOST: u32 = 50;

impl Database {
    /// When the account `name`, if there is one, signed in from `network`.
    pub async fn signed_in_at(&self, name: &str, network: IpAddr) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query(
            "SELECT s.signed_in_at FROM sign_ins s JOIN people p ON p.id = s.account_id
             WHERE p.name = $1 AND s.network = $2",
        );
        let row = row.bind(name).bind(network.to_string()).fetch_optional(&mut *self.decider().await?).await?;
        Ok(row.as_ref().map(|row| time(row, "signed_in_at")).transpose()?)
    }

    /// Keeps that an account signed in from `network`, and forgets what was before `before`.
    pub async fn keep_sign_in(
        &self,
        account_id: &str,
        network: IpAddr,
        now: Timestamp,
        before: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "INSERT INTO sign_ins (account_id, network, signed_in_at) VALUES ($1, $2, $3)
             ON CONFLICT (account_id, network) DO UPDATE SET signed_in_at = excluded.signed_in_at",
        )
        .bind(account_id)
        .bind(network.to_string())
        .bind(micros(now))
        .execute(&mut *transaction)
        .await?;
        let old = sqlx::query("DELETE FROM sign_ins WHERE signed_in_at < $1");
        old.bind(micros(before)).execute(&mut *transaction).await?;
        sqlx::query(
            "DELETE FROM sign_ins WHERE account_id = $1 AND network NOT IN (
                SELECT network FROM sign_ins WHERE account_id = $1 ORDER BY signed_in_at DESC, network LIMIT $2)",
        )
        .bind(account_id)
        .bind(MOST)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }
}
