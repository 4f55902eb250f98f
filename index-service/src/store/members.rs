//! Members of organisations. An organisation never loses its last owner who can sign in.
//!
//! Disabling an account asks nobody here: an administrator of the instance does that, and can make somebody else an owner.

use super::database::Database;
use super::error::StoreError;
use super::lists::{ListSql, list};
use super::revocations::revoke;
use super::rows::{micros, parsed, time};
use super::team_members::leave_teams;
use crate::model::{Member, MemberRole, Page, Paged};
use jiff::Timestamp;
use shared::NamespaceName;
use shared::revocations::Revoked;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, SqliteConnection};

/// What came of a change.
#[derive(Debug)]
pub enum MemberChanged<T> {
    /// It is so now.
    Changed(T),
    /// There is no such account, or it is no member.
    Unknown,
    /// Nobody who can sign in would own the organisation any more; nothing was changed.
    LastOwner,
}

impl FromRow<'_, SqliteRow> for Member {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self { account: parsed(row, "account")?, role: parsed(row, "role")?, created_at: time(row, "created_at")? })
    }
}

impl Database {
    /// A page of an organisation's members.
    pub async fn members(&self, organisation: &NamespaceName, page: &Page) -> Result<Paged<Member>, StoreError> {
        const MEMBERS: ListSql = list!(
            "",
            "a.name AS account, m.role, m.created_at",
            "members m JOIN organisations o ON o.id = m.organisation_id JOIN accounts a ON a.id = m.account_id
             WHERE o.name = $1",
            "a.name",
            " > $2",
            "",
            " LIMIT $3"
        );
        self.page(&MEMBERS, &[Some(organisation.as_str())], page).await
    }

    /// Makes an account a member, or changes what it is.
    pub async fn put_member(
        &self,
        organisation: &NamespaceName,
        account: &NamespaceName,
        role: MemberRole,
        now: Timestamp,
    ) -> Result<MemberChanged<Member>, StoreError> {
        let mut transaction = self.write().await?;
        let steps_down = role < MemberRole::Owner && is_owner(&mut transaction, organisation, account).await?;
        let member: Option<Member> = sqlx::query_as(
            "INSERT INTO members (organisation_id, account_id, role, created_at)
             SELECT o.id, a.id, $3, $4 FROM organisations o, accounts a
             WHERE o.name = $1 AND o.deleted_at IS NULL AND a.name = $2
             ON CONFLICT (organisation_id, account_id) DO UPDATE SET role = excluded.role
             RETURNING $2 AS account, role, created_at",
        )
        .bind(organisation.as_str())
        .bind(account.as_str())
        .bind(role.as_str())
        .bind(micros(now))
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(member) = member else { return Ok(MemberChanged::Unknown) };
        if steps_down && !has_owner(&mut transaction, organisation).await? {
            return Ok(MemberChanged::LastOwner);
        }
        if role < MemberRole::Owner {
            revoke(&mut transaction, &Revoked::Subject(account.to_string())).await?;
        }
        self.commit_revocation(transaction).await?;
        Ok(MemberChanged::Changed(member))
    }

    /// Ends a membership, and with it those in the organisation's teams.
    pub async fn delete_member(
        &self,
        organisation: &NamespaceName,
        account: &NamespaceName,
    ) -> Result<MemberChanged<()>, StoreError> {
        let mut transaction = self.write().await?;
        let steps_down = is_owner(&mut transaction, organisation, account).await?;
        let deleted = sqlx::query(
            "DELETE FROM members WHERE organisation_id = (SELECT id FROM organisations WHERE name = $1)
             AND account_id = (SELECT id FROM accounts WHERE name = $2)",
        )
        .bind(organisation.as_str())
        .bind(account.as_str())
        .execute(&mut *transaction)
        .await?;
        if deleted.rows_affected() == 0 {
            return Ok(MemberChanged::Unknown);
        }
        if steps_down && !has_owner(&mut transaction, organisation).await? {
            return Ok(MemberChanged::LastOwner);
        }
        leave_teams(&mut transaction, organisation, account).await?;
        revoke(&mut transaction, &Revoked::Subject(account.to_string())).await?;
        self.commit_revocation(transaction).await?;
        Ok(MemberChanged::Changed(()))
    }
}

/// Whether this account is an owner, disabled or not.
async fn is_owner(
    connection: &mut SqliteConnection,
    organisation: &NamespaceName,
    account: &NamespaceName,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM members m JOIN organisations o ON o.id = m.organisation_id
                        JOIN accounts a ON a.id = m.account_id
                        WHERE o.name = $1 AND a.name = $2 AND m.role = 'owner')",
    )
    .bind(organisation.as_str())
    .bind(account.as_str())
    .fetch_one(connection)
    .await
}

/// Whether there is an owner who can sign in: one whose account is disabled can make nobody else one.
async fn has_owner(connection: &mut SqliteConnection, organisation: &NamespaceName) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM members m JOIN organisations o ON o.id = m.organisation_id
                        JOIN accounts a ON a.id = m.account_id
                        WHERE o.name = $1 AND m.role = 'owner' AND a.disabled_at IS NULL)",
    )
    .bind(organisation.as_str())
    .fetch_one(connection)
    .await
}
