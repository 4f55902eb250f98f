//! Access tokens of accounts.

use super::Claim;
use super::database::Database;
use super::error::StoreError;
use super::lists::{ListSql, list};
use super::questions::{MOST, Question};
use super::revocations::revoke;
use super::rows::{micros, parsed, parsed_option, time, time_option};
use crate::model::access_token::{AccessToken, LastUse, credential};
use crate::model::account::Owner;
use crate::model::robot::Robot;
use crate::model::{Account, Page, Paged};
use jiff::Timestamp;
use shared::Networks;
use shared::revocations::Revoked;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

/// Columns of an [`AccessToken`] `t`, under names that an account's do not have.
macro_rules! token_columns {
    () => {
        "t.id AS token_id, t.name AS token_name, t.limits, t.allowed_networks, t.expires_at, t.last_used_at, t.last_used_from,
         t.created_at AS token_created_at"
    };
}

impl FromRow<'_, SqliteRow> for AccessToken {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("token_id")?,
            name: row.try_get("token_name")?,
            limits: parsed(row, "limits")?,
            allowed_networks: parsed(row, "allowed_networks")?,
            expires_at: time_option(row, "expires_at")?,
            last_used: LastUse::from_row(row)?,
            created_at: time(row, "token_created_at")?,
        })
    }
}

impl FromRow<'_, SqliteRow> for LastUse {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self { at: time_option(row, "last_used_at")?, from: parsed_option(row, "last_used_from")? })
    }
}

/// For each row of `asked`, the token that its hash opens, if any.
const BY_HASH: &str = concat!(
    "WITH asked (number, hash, time) AS (VALUES
         (0, $1, $2), (1, $3, $4), (2, $5, $6), (3, $7, $8), (4, $9, $10), (5, $11, $12), (6, $13, $14), (7, $15, $16))
     SELECT q.number, a.*, ",
    token_columns!(),
    " FROM asked q
     JOIN access_tokens t ON t.secret_hash = q.hash OR (t.old_hash = q.hash AND t.old_until > q.time)
     JOIN accounts a ON a.id = t.account_id"
);

/// The hash of a secret at a time: which access token does it open, and whose?
pub(super) struct SecretQuestion {
    hash: String,
    now: i64,
}

impl Question for SecretQuestion {
    type Answer = (Owner, AccessToken);

    async fn ask(connection: &mut SqliteConnection, asked: &[Self]) -> sqlx::Result<Vec<SqliteRow>> {
        let mut rows = sqlx::query(BY_HASH);
        for number in 0..MOST {
            let asked = asked.get(number);
            rows = rows.bind(asked.map(|asked| asked.hash.as_str())).bind(asked.map(|asked| asked.now));
        }
        rows.fetch_all(connection).await
    }

    fn read(row: &SqliteRow) -> sqlx::Result<Self::Answer> {
        Ok((owner(row)?, AccessToken::from_row(row)?))
    }
}

fn owner(row: &SqliteRow) -> sqlx::Result<Owner> {
    let is_robot = row.try_get::<Option<&str>, _>("organisation_id")?.is_some();
    Ok(if is_robot { Owner::Robot(Robot::from_row(row)?) } else { Owner::Person(Account::from_row(row)?) })
}

impl Database {
    /// A page of an account's tokens.
    pub async fn access_tokens(&self, account_id: &str, page: &Page) -> Result<Paged<AccessToken>, StoreError> {
        const TOKENS: ListSql =
            list!("", token_columns!(), "access_tokens t WHERE t.account_id = $1", "t.name", " > $2", "", " LIMIT $3");
        self.page(&TOKENS, &[Some(account_id)], page).await
    }

    /// One of an account's tokens.
    pub async fn access_token(&self, account_id: &str, id: &str) -> Result<Option<AccessToken>, StoreError> {
        const TOKEN: &str =
            concat!("SELECT ", token_columns!(), " FROM access_tokens t WHERE t.account_id = $1 AND t.id = $2");
        let token = sqlx::query_as(TOKEN).bind(account_id).bind(id);
        Ok(token.fetch_optional(&mut *self.reader().await?).await?)
    }

    /// The token whose secret has this hash at `now`, with its owner. Its time may be over.
    pub async fn access_token_by_hash(
        &self,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<(Owner, AccessToken)>, StoreError> {
        self.secret_questions().ask(SecretQuestion { hash: hash.to_owned(), now: micros(now) }).await
    }

    /// Until when, `None` for ever, and from where the secret whose hash begins with `mark` opens the token `id` of the account
    /// named `owner`; `None` for not at all. It may be over.
    pub async fn access_token_reach(
        &self,
        owner: &str,
        id: &str,
        mark: &str,
    ) -> Result<Option<(Option<Timestamp>, Networks)>, StoreError> {
        let row = sqlx::query(
            "SELECT CASE
                 WHEN substr(t.secret_hash, 1, length($3)) = $3 OR t.old_until > t.expires_at THEN t.expires_at
                 ELSE t.old_until END AS until, t.allowed_networks
             FROM access_tokens t JOIN accounts a ON a.id = t.account_id
             WHERE a.name = $1 AND t.id = $2
                 AND (substr(t.secret_hash, 1, length($3)) = $3 OR substr(t.old_hash, 1, length($3)) = $3)",
        );
        let row = row.bind(owner).bind(id).bind(mark).fetch_optional(&mut *self.decider().await?).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((time_option(&row, "until")?, parsed(&row, "allowed_networks")?)))
    }

    /// Keeps a new token. Whether its name was free.
    pub async fn create_access_token(
        &self,
        account_id: &str,
        token: &AccessToken,
        hash: &str,
    ) -> Result<Claim, StoreError> {
        let mut transaction = self.write().await?;
        let made = sqlx::query(
            "INSERT INTO access_tokens (id, account_id, name, limits, allowed_networks, secret_hash, expires_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account_id, name) DO NOTHING",
        )
        .bind(&token.id)
        .bind(account_id)
        .bind(&token.name)
        .bind(token.limits.to_string())
        .bind(token.allowed_networks.to_string())
        .bind(hash)
        .bind(token.expires_at.map(micros))
        .bind(micros(token.created_at))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(if made.rows_affected() > 0 { Claim::Made } else { Claim::Taken })
    }

    /// Gives a token another secret, and another end if it is said; the one before opens until `old_until`, or no more.
    /// `None` if there is no such token.
    pub async fn rotate_access_token(
        &self,
        account_id: &str,
        id: &str,
        hash: &str,
        old_until: Option<Timestamp>,
        expires_at: Option<Timestamp>,
    ) -> Result<Option<AccessToken>, StoreError> {
        const ROTATE: &str = "UPDATE access_tokens SET old_hash = CASE WHEN $4 IS NULL THEN NULL ELSE secret_hash END,
                 old_until = $4, secret_hash = $3, expires_at = COALESCE($5, expires_at)
             WHERE account_id = $1 AND id = $2
             RETURNING id AS token_id, name AS token_name, limits, allowed_networks, expires_at, last_used_at,
                 last_used_from, created_at AS token_created_at";
        let mut transaction = self.write().await?;
        let ended: Vec<String> = sqlx::query_scalar(
            "SELECT old_hash FROM access_tokens WHERE account_id = $1 AND id = $2 AND old_hash IS NOT NULL
             UNION ALL SELECT secret_hash FROM access_tokens WHERE account_id = $1 AND id = $2 AND $3 IS NULL",
        )
        .bind(account_id)
        .bind(id)
        .bind(old_until.map(micros))
        .fetch_all(&mut *transaction)
        .await?;
        for hash in ended {
            revoke(&mut transaction, &Revoked::Credential(credential(id, &hash))).await?;
        }
        let token = sqlx::query_as(ROTATE).bind(account_id).bind(id).bind(hash).bind(old_until.map(micros));
        let token = token.bind(expires_at.map(micros));
        let token = token.fetch_optional(&mut *transaction).await?;
        self.commit_revocation(transaction).await?;
        Ok(token)
    }

    /// Ends the secrets that were rotated away and whose time was over at `now`.
    pub async fn end_old_secrets(&self, now: Timestamp) -> Result<(), StoreError> {
        let over = sqlx::query_as("SELECT id, old_hash FROM access_tokens WHERE old_until <= $1").bind(micros(now));
        let over: Vec<(String, String)> = over.fetch_all(&mut *self.reader().await?).await?;
        if over.is_empty() {
            return Ok(());
        }
        let mut transaction = self.write().await?;
        for (id, hash) in over {
            let end = sqlx::query(
                "UPDATE access_tokens SET old_hash = NULL, old_until = NULL WHERE id = $1 AND old_hash = $2",
            );
            end.bind(&id).bind(&hash).execute(&mut *transaction).await?;
            revoke(&mut transaction, &Revoked::Credential(credential(&id, &hash))).await?;
        }
        self.commit_revocation(transaction).await
    }

    /// Says from where a token opens anything. `None` if there is no such token.
    pub async fn set_token_networks(
        &self,
        account_id: &str,
        id: &str,
        networks: &Networks,
    ) -> Result<Option<()>, StoreError> {
        let mut transaction = self.write().await?;
        let changed = sqlx::query("UPDATE access_tokens SET allowed_networks = $3 WHERE account_id = $1 AND id = $2");
        let changed = changed.bind(account_id).bind(id).bind(networks.to_string()).execute(&mut *transaction).await?;
        revoke(&mut transaction, &Revoked::Credential(id.to_owned())).await?;
        self.commit_revocation(transaction).await?;
        Ok((changed.rows_affected() > 0).then_some(()))
    }

    /// Ends a token; `None` if there is no such token.
    pub async fn delete_access_token(&self, account_id: &str, id: &str) -> Result<Option<()>, StoreError> {
        let mut transaction = self.write().await?;
        let deleted = sqlx::query("DELETE FROM access_tokens WHERE account_id = $1 AND id = $2");
        let deleted = deleted.bind(account_id).bind(id).execute(&mut *transaction).await?;
        revoke(&mut transaction, &Revoked::Credential(id.to_owned())).await?;
        self.commit_revocation(transaction).await?;
        Ok((deleted.rows_affected() > 0).then_some(()))
    }

    /// Notes that a token was used.
    pub async fn access_token_used(&self, id: &str, last_used: &LastUse) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let used = sqlx::query("UPDATE access_tokens SET last_used_at = $2, last_used_from = $3 WHERE id = $1");
        let used = used.bind(id).bind(last_used.at.map(micros)).bind(last_used.from.map(|from| from.to_string()));
        used.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }
}
