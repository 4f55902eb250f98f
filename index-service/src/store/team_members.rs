//! Members of teams, each of whom is a member of the team's organisation.

use super::database::Database;
use super::error::StoreError;
use super::lists::{ListSql, list};
use super::revocations::revoke;
use super::rows::{micros, parsed, time};
use super::teams::team_id;
use crate::model::team::TeamMember;
use crate::model::{Page, Paged};
use jiff::Timestamp;
use shared::NamespaceName;
use shared::revocations::Revoked;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, SqliteConnection};

/// What came of putting an account into a team.
#[derive(Debug)]
pub enum TeamJoined {
    /// It is in the team.
    Joined(TeamMember),
    /// There is no such team.
    NoSuchTeam,
    /// It is no member of the organisation.
    NoMember,
}

impl FromRow<'_, SqliteRow> for TeamMember {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self { account: parsed(row, "account")?, created_at: time(row, "created_at")? })
    }
}

impl Database {
    /// A page of a team's members.
    pub async fn team_members(
        &self,
        organisation: &NamespaceName,
        team: &NamespaceName,
        page: &Page,
    ) -> Result<Paged<TeamMember>, StoreError> {
        const MEMBERS: ListSql = list!(
            "",
            "a.name AS account, m.created_at",
            "team_members m JOIN teams t ON t.id = m.team_id JOIN organisations o ON o.id = t.organisation_id
             JOIN accounts a ON a.id = m.account_id WHERE o.name = $1 AND t.name = $2",
            "a.name",
            " > $3",
            "",
            " LIMIT $4"
        );
        self.page(&MEMBERS, &[Some(organisation.as_str()), Some(team.as_str())], page).await
    }

    /// Whether an account is in a team.
    pub async fn is_in_team(
        &self,
        organisation: &NamespaceName,
        team: &NamespaceName,
        account: &NamespaceName,
    ) -> Result<bool, StoreError> {
        let is_in = sqlx::query_scalar(
            "SELECT EXISTS (
                SELECT 1 FROM team_members m JOIN teams t ON t.id = m.team_id
                JOIN organisations o ON o.id = t.organisation_id JOIN accounts a ON a.id = m.account_id
                WHERE o.name = $1 AND t.name = $2 AND a.name = $3)",
        );
        let is_in = is_in.bind(organisation.as_str()).bind(team.as_str()).bind(account.as_str());
        Ok(is_in.fetch_one(&mut *self.reader().await?).await?)
    }

    /// Puts a member of the organisation into a team. Who is there already stays since when it is.
    pub async fn put_team_member(
        &self,
        organisation: &NamespaceName,
        team: &NamespaceName,
        account: &NamespaceName,
        now: Timestamp,
    ) -> Result<TeamJoined, StoreError> {
        let mut transaction = self.write().await?;
        let Some(id) = team_id(&mut transaction, organisation, team).await? else { return Ok(TeamJoined::NoSuchTeam) };
        let member: Option<TeamMember> = sqlx::query_as(
            "INSERT INTO team_members (team_id, account_id, created_at)
             SELECT t.id, m.account_id, $3 FROM teams t
             JOIN members m ON m.organisation_id = t.organisation_id JOIN accounts a ON a.id = m.account_id
             WHERE t.id = $1 AND a.name = $2
             ON CONFLICT (team_id, account_id) DO UPDATE SET created_at = team_members.created_at
             RETURNING $2 AS account, created_at",
        )
        .bind(id)
        .bind(account.as_str())
        .bind(micros(now))
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(member.map_or(TeamJoined::NoMember, TeamJoined::Joined))
    }

    /// Takes an account out of a team; `None` if it was not there.
    pub async fn delete_team_member(
        &self,
        organisation: &NamespaceName,
        team: &NamespaceName,
        account: &NamespaceName,
    ) -> Result<Option<()>, StoreError> {
        let mut transaction = self.write().await?;
        let Some(id) = team_id(&mut transaction, organisation, team).await? else { return Ok(None) };
        let deleted = sqlx::query(
            "DELETE FROM team_members WHERE team_id = $1 AND account_id = (SELECT id FROM accounts WHERE name = $2)",
        );
        let deleted = deleted.bind(id).bind(account.as_str()).execute(&mut *transaction).await?;
        if deleted.rows_affected() == 0 {
            return Ok(None);
        }
        revoke(&mut transaction, &Revoked::Subject(account.to_string())).await?;
        self.commit_revocation(transaction).await?;
        Ok(Some(()))
    }
}

/// An account that leaves an organisation leaves its teams.
pub(super) async fn leave_teams(
    connection: &mut SqliteConnection,
    organisation: &NamespaceName,
    account: &NamespaceName,
) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM team_members WHERE account_id = (SELECT id FROM accounts WHERE name = $2)
         AND team_id IN (SELECT t.id FROM teams t JOIN organisations o ON o.id = t.organisation_id WHERE o.name = $1)",
    )
    .bind(organisation.as_str())
    .bind(account.as_str())
    .execute(connection)
    .await?;
    Ok(())
}
