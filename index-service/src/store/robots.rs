//! Robots of organisations, each an account together with its one access token.

use super::database::Database;
use super::error::StoreError;
use super::lists::{ListSql, list};
use super::organisations::organisation_id;
use super::revocations::revoke;
use super::rows::{micros, parsed, time, time_option};
use super::{Claim, new_id};
use crate::model::access_token::LastUse;
use crate::model::robot::{Robot, RobotChange, RobotName};
use crate::model::{Page, Paged};
use jiff::Timestamp;
use shared::NamespaceName;
use shared::revocations::Revoked;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

/// The columns of a [`Robot`], and the tables of its account `a` and its access token `t`.
macro_rules! robot_columns {
    () => {
        "a.name, a.description, a.disabled_at, a.created_at, t.expires_at, t.last_used_at, t.last_used_from,
         t.allowed_networks"
    };
}

macro_rules! robot_tables {
    () => {
        "accounts a JOIN access_tokens t ON t.account_id = a.id JOIN organisations o ON o.id = a.organisation_id"
    };
}

/// What every robot's access token is called.
const TOKEN: &str = "secret";

impl FromRow<'_, SqliteRow> for Robot {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            name: parsed(row, "name")?,
            description: row.try_get("description")?,
            disabled_at: time_option(row, "disabled_at")?,
            allowed_networks: parsed(row, "allowed_networks")?,
            expires_at: time_option(row, "expires_at")?,
            last_used: LastUse::from_row(row)?,
            created_at: time(row, "created_at")?,
        })
    }
}

impl Database {
    /// A page of an organisation's robots.
    pub async fn robots(&self, organisation: &NamespaceName, page: &Page) -> Result<Paged<Robot>, StoreError> {
        const ROBOTS: ListSql = list!(
            "",
            robot_columns!(),
            concat!(robot_tables!(), " WHERE o.name = $1"),
            "a.name",
            " > $2",
            "",
            " LIMIT $3"
        );
        self.page(&ROBOTS, &[Some(organisation.as_str())], page).await
    }

    /// The robot `name`.
    pub async fn robot(&self, name: &RobotName) -> Result<Option<Robot>, StoreError> {
        const ROBOT: &str = concat!("SELECT ", robot_columns!(), " FROM ", robot_tables!(), " WHERE a.name = $1");
        let robot = sqlx::query_as(ROBOT).bind(name.to_string());
        Ok(robot.fetch_optional(&mut *self.reader().await?).await?)
    }

    /// Makes a robot with the hash of its secret. Whether its name was free; `None` if there is no such organisation.
    pub async fn create_robot(&self, robot: &Robot, token_id: &str, hash: &str) -> Result<Option<Claim>, StoreError> {
        let (id, mut transaction) = (new_id(), self.write().await?);
        let Some(organisation) = organisation_id(&mut transaction, &robot.name.organisation).await? else {
            return Ok(None);
        };
        let made = sqlx::query(
            "INSERT INTO accounts (id, name, password_hash, created_at, organisation_id, description)
             VALUES ($1, $2, '', $3, $5, $4) ON CONFLICT (name) DO NOTHING",
        )
        .bind(&id)
        .bind(robot.name.to_string())
        .bind(micros(robot.created_at))
        .bind(&robot.description)
        .bind(organisation)
        .execute(&mut *transaction)
        .await?;
        if made.rows_affected() == 0 {
            return Ok(Some(Claim::Taken));
        }
        sqlx::query(
            "INSERT INTO access_tokens (id, account_id, name, limits, secret_hash, expires_at, created_at, allowed_networks)
             VALUES ($1, $2, $3, '', $4, $5, $6, $7)",
        )
        .bind(token_id)
        .bind(&id)
        .bind(TOKEN)
        .bind(hash)
        .bind(robot.expires_at.map(micros))
        .bind(micros(robot.created_at))
        .bind(robot.allowed_networks.to_string())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(Claim::Made))
    }

    /// Changes a robot; `None` if there is none of that name.
    pub async fn change_robot(
        &self,
        name: &RobotName,
        change: &RobotChange,
        now: Timestamp,
    ) -> Result<Option<()>, StoreError> {
        let mut transaction = self.write().await?;
        let changed = sqlx::query(
            "UPDATE accounts SET
                 description = COALESCE($2, description),
                 disabled_at = CASE $3 WHEN 1 THEN COALESCE(disabled_at, $4) WHEN 0 THEN NULL ELSE disabled_at END
             WHERE name = $1 AND organisation_id IS NOT NULL",
        )
        .bind(name.to_string())
        .bind(&change.description)
        .bind(change.disabled.map(i64::from))
        .bind(micros(now))
        .execute(&mut *transaction)
        .await?;
        if let Some(networks) = &change.allowed_networks {
            let id = sqlx::query_scalar(
                "UPDATE access_tokens SET allowed_networks = $2 WHERE account_id = (
                     SELECT id FROM accounts WHERE name = $1 AND organisation_id IS NOT NULL) RETURNING id",
            );
            let id: Option<String> =
                id.bind(name.to_string()).bind(networks.to_string()).fetch_optional(&mut *transaction).await?;
            if let Some(id) = id {
                revoke(&mut transaction, &Revoked::Credential(id)).await?;
            }
        }
        if change.disabled == Some(true) {
            revoke(&mut transaction, &Revoked::Subject(name.to_string())).await?;
        }
        self.commit_revocation(transaction).await?;
        Ok((changed.rows_affected() > 0).then_some(()))
    }

    /// The ids of a robot's account and of its access token.
    pub async fn robot_ids(&self, name: &RobotName) -> Result<Option<(String, String)>, StoreError> {
        let ids = sqlx::query_as(
            "SELECT a.id, t.id FROM accounts a JOIN access_tokens t ON t.account_id = a.id
             WHERE a.name = $1 AND a.organisation_id IS NOT NULL",
        );
        Ok(ids.bind(name.to_string()).fetch_optional(&mut *self.reader().await?).await?)
    }

    /// Ends a robot, with its secret and everything that it was granted; `None` if there is none of that name.
    pub async fn delete_robot(&self, name: &RobotName) -> Result<Option<()>, StoreError> {
        let mut transaction = self.write().await?;
        let id = sqlx::query_scalar("SELECT id FROM accounts WHERE name = $1 AND organisation_id IS NOT NULL");
        let id: Option<String> = id.bind(name.to_string()).fetch_optional(&mut *transaction).await?;
        let Some(id) = id else { return Ok(None) };
        for statement in [
            "DELETE FROM grants WHERE account_id = $1",
            "DELETE FROM default_grants WHERE account_id = $1",
            "DELETE FROM access_tokens WHERE account_id = $1",
            "DELETE FROM accounts WHERE id = $1",
        ] {
            sqlx::query(statement).bind(&id).execute(&mut *transaction).await?;
        }
        revoke(&mut transaction, &Revoked::Subject(name.to_string())).await?;
        self.commit_revocation(transaction).await?;
        Ok(Some(()))
    }
}

/// What was issued to the robots of an organisation is void.
pub(super) async fn revoke_robots(connection: &mut SqliteConnection, organisation: &NamespaceName) -> sqlx::Result<()> {
    let robots = sqlx::query_scalar(
        "SELECT a.name FROM accounts a JOIN organisations o ON o.id = a.organisation_id WHERE o.name = $1",
    );
    let robots: Vec<String> = robots.bind(organisation.as_str()).fetch_all(&mut *connection).await?;
    for robot in robots {
        revoke(connection, &Revoked::Subject(robot)).await?;
    }
    Ok(())
}

/// The robots of a deleted organisation may do nothing any more.
pub(super) async fn disable_robots(
    connection: &mut SqliteConnection,
    organisation: &NamespaceName,
    now: Timestamp,
) -> sqlx::Result<()> {
    revoke_robots(connection, organisation).await?;
    for statement in [
        "DELETE FROM grants WHERE account_id IN (
            SELECT a.id FROM accounts a JOIN organisations o ON o.id = a.organisation_id WHERE o.name = $1)",
        "DELETE FROM default_grants WHERE account_id IN (
            SELECT a.id FROM accounts a JOIN organisations o ON o.id = a.organisation_id WHERE o.name = $1)",
        "UPDATE accounts SET disabled_at = COALESCE(disabled_at, $2)
         WHERE organisation_id = (SELECT id FROM organisations WHERE name = $1)",
    ] {
        let done = sqlx::query(statement).bind(organisation.as_str()).bind(micros(now));
        done.execute(&mut *connection).await?;
    }
    Ok(())
}
