//! Accounts, each made together with its namespace.

use super::database::Database;
use super::error::StoreError;
use super::lists::{list, sorted};
use super::namespaces::{Owner, claim, insert_namespace};
use super::revocations::{revoke, revoke_account};
use super::rows::{flag, micros, parsed, time, time_option};
use super::sessions::end_sessions;
use super::visibility::containing;
use super::{Claim, new_id};
use crate::model::account::{AccountChange, AccountFilter};
use crate::model::{Account, Origin, Page, Paged};
use jiff::Timestamp;
use shared::NamespaceName;
use shared::revocations::Revoked;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

/// An account to be made.
pub struct NewAccount {
    /// Its name, and its namespace's.
    pub name: NamespaceName,
    /// A PHC string.
    pub password_hash: String,
    /// Whether it administers the instance.
    pub is_admin: bool,
}

/// What came of a change.
#[derive(Debug)]
pub enum AccountChanged {
    /// It is so now.
    Changed(Account),
    /// There is no such account.
    Unknown,
    /// Nobody would administer the instance any more; nothing was changed.
    LastAdmin,
    /// It would administer the instance and be its auditor; nothing was changed.
    AdminAndAuditor,
}

impl FromRow<'_, SqliteRow> for Account {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            name: parsed(row, "name")?,
            is_admin: flag(row, "is_admin")?,
            is_auditor: flag(row, "is_auditor")?,
            disabled_at: time_option(row, "disabled_at")?,
            created_at: time(row, "created_at")?,
            origin: Origin::Anywhere,
        })
    }
}

/// People who may do nothing if `$1` is `yes`, with the text `$2`.
macro_rules! people {
    ($key:expr, $beyond:expr, $order:expr) => {
        list!(
            "",
            "p.*",
            r"people p WHERE ($1 IS NULL OR ($1 = 'yes') = (p.disabled_at IS NOT NULL))
                AND ($2 IS NULL OR p.name LIKE $2 ESCAPE '\')",
            $key,
            concat!($beyond, "$3"),
            $order,
            " LIMIT $4"
        )
    };
}

impl Database {
    /// Whether there is any account yet.
    pub async fn has_accounts(&self) -> Result<bool, StoreError> {
        let any = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM people)");
        Ok(any.fetch_one(&mut *self.reader().await?).await?)
    }

    /// The account `name`.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, StoreError> {
        let account = sqlx::query_as("SELECT * FROM people WHERE name = $1").bind(name);
        Ok(account.fetch_optional(&mut *self.decider().await?).await?)
    }

    /// The account `name` with its password's hash: only for checking a password.
    pub async fn account_with_password_hash(&self, name: &str) -> Result<Option<(Account, String)>, StoreError> {
        let row = sqlx::query("SELECT * FROM people WHERE name = $1")
            .bind(name)
            .fetch_optional(&mut *self.decider().await?)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((Account::from_row(&row)?, row.try_get("password_hash")?)))
    }

    /// Whether there is an account, a person's or a robot's, that is not disabled.
    pub async fn is_good(&self, name: &str) -> Result<bool, StoreError> {
        let is_good =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM accounts WHERE name = $1 AND disabled_at IS NULL)");
        Ok(is_good.bind(name).fetch_one(&mut *self.decider().await?).await?)
    }

    /// A page of all accounts of people.
    pub async fn accounts(&self, filter: &AccountFilter, page: &Page) -> Result<Paged<Account>, StoreError> {
        let list = sorted!(people, page.sorting(), "p.created_at", "p.name");
        let disabled = filter.disabled.map(|disabled| if disabled { "yes" } else { "no" });
        self.page(&list, &[disabled, filter.text.as_deref().map(containing).as_deref()], page).await
    }

    /// Makes an account and its namespace.
    pub async fn create_account(&self, account: &NewAccount, now: Timestamp) -> Result<Claim, StoreError> {
        let mut transaction = self.write().await?;
        if claim(&mut transaction, &account.name).await? == Claim::Taken {
            return Ok(Claim::Taken);
        }
        insert_account(&mut transaction, account, now).await?;
        transaction.commit().await?;
        Ok(Claim::Made)
    }

    /// Changes an account, unless no administrator who can sign in would be left.
    pub async fn change_account(
        &self,
        name: &str,
        change: AccountChange,
        now: Timestamp,
    ) -> Result<AccountChanged, StoreError> {
        let mut transaction = self.write().await?;
        let account: Option<Account> = sqlx::query_as(
            "UPDATE accounts SET
                 is_admin = COALESCE($2, is_admin), is_auditor = COALESCE($5, is_auditor),
                 disabled_at = CASE $3 WHEN 1 THEN COALESCE(disabled_at, $4) WHEN 0 THEN NULL ELSE disabled_at END
             WHERE name = $1 AND organisation_id IS NULL RETURNING *",
        )
        .bind(name)
        .bind(change.is_admin.map(i64::from))
        .bind(change.disabled.map(i64::from))
        .bind(micros(now))
        .bind(change.is_auditor.map(i64::from))
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(account) = account else { return Ok(AccountChanged::Unknown) };
        if account.is_admin && account.is_auditor {
            return Ok(AccountChanged::AdminAndAuditor);
        }
        let admin_left: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM people WHERE is_admin = 1 AND disabled_at IS NULL)")
                .fetch_one(&mut *transaction)
                .await?;
        if !admin_left {
            return Ok(AccountChanged::LastAdmin);
        }
        if change.is_admin == Some(false) || change.is_auditor == Some(true) || change.disabled == Some(true) {
            revoke(&mut transaction, &Revoked::Subject(name.to_owned())).await?;
        }
        // What could be done in a session is no longer, or no longer only, what is done in it now.
        if change.disabled == Some(true) || change.is_admin.is_some() || change.is_auditor.is_some() {
            end_sessions(&mut transaction, &account.id, None).await?;
        }
        self.commit_revocation(transaction).await?;
        Ok(AccountChanged::Changed(account))
    }

    /// Sets the hash of an account's password; what was issued for the one before ends, and so do the account's sessions. One
    /// of them, by its id, goes on under a secret with another hash.
    pub async fn set_password_hash(
        &self,
        account_id: &str,
        password_hash: &str,
        going_on: Option<(&str, String)>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("UPDATE accounts SET password_hash = $2 WHERE id = $1")
            .bind(account_id)
            .bind(password_hash)
            .execute(&mut *transaction)
            .await?;
        end_sessions(&mut transaction, account_id, going_on.as_ref().map(|(id, _)| *id)).await?;
        if let Some((id, secret_hash)) = going_on {
            let goes_on = sqlx::query("UPDATE sessions SET secret_hash = $2 WHERE id = $1");
            goes_on.bind(id).bind(secret_hash).execute(&mut *transaction).await?;
        }
        revoke_account(&mut transaction, account_id).await?;
        self.commit_revocation(transaction).await
    }
}

/// Makes an account, whose name is free, with its namespace; tells its id.
pub(super) async fn insert_account(
    connection: &mut SqliteConnection,
    account: &NewAccount,
    now: Timestamp,
) -> sqlx::Result<String> {
    let id = new_id();
    sqlx::query("INSERT INTO accounts (id, name, password_hash, is_admin, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(&id)
        .bind(account.name.as_str())
        .bind(&account.password_hash)
        .bind(i64::from(account.is_admin))
        .bind(micros(now))
        .execute(&mut *connection)
        .await?;
    insert_namespace(connection, &account.name, Owner::Account(&id), now).await?;
    Ok(id)
}
