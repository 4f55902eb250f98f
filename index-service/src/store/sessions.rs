//! Sessions of browsers. One that has ended has no row.

use super::database::Database;
use super::error::StoreError;
use super::lists::{ListSql, list};
use super::rows::{micros, parsed_option, time};
use crate::model::session::{MAX_SESSIONS, Session, over_since};
use crate::model::{Account, Page, Paged};
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};
use std::net::IpAddr;

/// Columns of a [`Session`] `s`, under names that an account's do not have.
macro_rules! session_columns {
    () => {
        "s.id AS session_id, s.user_agent, s.created_at AS session_created_at, s.last_used_at, s.last_used_from"
    };
}

/// A session to be kept.
pub struct NewSession<'a> {
    /// Whose it is.
    pub account_id: &'a str,
    /// The hash of the password that opened it.
    pub password_hash: &'a str,
    /// The session.
    pub session: &'a Session,
    /// The hash of its secret.
    pub secret_hash: &'a str,
    /// The hash of the secret of the session that it replaces in its browser.
    pub instead_of: Option<&'a str>,
}

impl FromRow<'_, SqliteRow> for Session {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("session_id")?,
            user_agent: row.try_get("user_agent")?,
            created_at: time(row, "session_created_at")?,
            last_used_at: time(row, "last_used_at")?,
            last_used_from: parsed_option(row, "last_used_from")?,
        })
    }
}

impl Database {
    /// The session whose secret has this hash, with its account. Its time may be over.
    pub async fn session_by_hash(&self, hash: &str) -> Result<Option<(Account, Session)>, StoreError> {
        const BY_HASH: &str = concat!(
            "SELECT a.*, ",
            session_columns!(),
            " FROM sessions s JOIN people a ON a.id = s.account_id WHERE s.secret_hash = $1"
        );
        let row = sqlx::query(BY_HASH).bind(hash).fetch_optional(&mut *self.decider().await?).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((Account::from_row(&row)?, Session::from_row(&row)?)))
    }

    /// A page of an account's sessions that are not over at `now`.
    pub async fn sessions(&self, account_id: &str, page: &Page, now: Timestamp) -> Result<Paged<Session>, StoreError> {
        const SESSIONS: ListSql = list!(
            "",
            session_columns!(),
            "sessions s WHERE s.account_id = $1 AND s.created_at > CAST($2 AS BIGINT)
                 AND s.last_used_at > CAST($3 AS BIGINT)",
            "s.id",
            " > $4",
            "",
            " LIMIT $5"
        );
        let (created, used) = over_since(now);
        let (created, used) = (micros(created).to_string(), micros(used).to_string());
        self.page(&SESSIONS, &[Some(account_id), Some(&created), Some(&used)], page).await
    }

    /// Keeps a new session, and forgets what it replaces and what is too old. `None`, and nothing is kept, if the account has
    /// been disabled or has got another password since that was checked.
    pub async fn create_session(&self, new: &NewSession<'_>) -> Result<Option<()>, StoreError> {
        let NewSession { account_id, password_hash, session, secret_hash, instead_of } = *new;
        let mut transaction = self.write().await?;
        let made = sqlx::query(
            "INSERT INTO sessions (id, account_id, secret_hash, user_agent, created_at, last_used_at, last_used_from)
             SELECT $1, id, $2, $3, $4, $5, $6 FROM people
             WHERE id = $7 AND password_hash = $8 AND disabled_at IS NULL",
        )
        .bind(&session.id)
        .bind(secret_hash)
        .bind(&session.user_agent)
        .bind(micros(session.created_at))
        .bind(micros(session.last_used_at))
        .bind(session.last_used_from.map(|from| from.to_string()))
        .bind(account_id)
        .bind(password_hash)
        .execute(&mut *transaction)
        .await?;
        if made.rows_affected() == 0 {
            return Ok(None);
        }
        let (created, _) = over_since(session.created_at);
        sqlx::query("DELETE FROM sessions WHERE secret_hash = $1 OR created_at <= $2")
            .bind(instead_of)
            .bind(micros(created))
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "DELETE FROM sessions WHERE account_id = $1 AND id NOT IN (
                SELECT id FROM sessions WHERE account_id = $1 ORDER BY last_used_at DESC, id DESC LIMIT $2)",
        )
        .bind(account_id)
        .bind(i64::from(MAX_SESSIONS))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(()))
    }

    /// Notes that a session was used, from this address.
    pub async fn session_used(&self, id: &str, from: Option<IpAddr>, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let used = sqlx::query("UPDATE sessions SET last_used_at = $2, last_used_from = $3 WHERE id = $1");
        let used = used.bind(id).bind(micros(now)).bind(from.map(|from| from.to_string()));
        used.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends one of an account's sessions; `None` if there is no such session.
    pub async fn delete_session(&self, account_id: &str, id: &str) -> Result<Option<()>, StoreError> {
        let mut transaction = self.write().await?;
        let deleted = sqlx::query("DELETE FROM sessions WHERE account_id = $1 AND id = $2");
        let deleted = deleted.bind(account_id).bind(id).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok((deleted.rows_affected() > 0).then_some(()))
    }

    /// Ends all of an account's sessions.
    pub async fn delete_sessions(&self, account_id: &str) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        end_sessions(&mut transaction, account_id, None).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Ends all of an account's sessions but `keep`.
pub(super) async fn end_sessions(
    connection: &mut SqliteConnection,
    account_id: &str,
    keep: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM sessions WHERE account_id = $1 AND id <> COALESCE($2, '')")
        .bind(account_id)
        .bind(keep)
        .execute(connection)
        .await?;
    Ok(())
}
