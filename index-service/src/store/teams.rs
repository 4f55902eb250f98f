//! Teams of organisations, and what they hold.

use super::Claim;
use super::database::Database;
use super::error::StoreError;
use super::lists::{ListSql, list};
use super::new_id;
use super::organisations::organisation_id;
use super::revocations::revoke_team;
use super::rows::{micros, parsed, time};
use crate::model::team::{TeamChange, TeamGrant};
use crate::model::{GrantedOn, Page, Paged, Team};
use shared::{NamespaceName, RepositoryName};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

/// What came of changing a team.
#[derive(Debug)]
pub enum TeamChanged {
    /// It is so now.
    Changed(Team),
    /// There is no such team.
    Unknown,
    /// Another one has the new name.
    Taken,
}

impl FromRow<'_, SqliteRow> for Team {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            name: parsed(row, "name")?,
            description: row.try_get("description")?,
            created_at: time(row, "created_at")?,
        })
    }
}

impl FromRow<'_, SqliteRow> for TeamGrant {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let is_namespace: bool = row.try_get("is_namespace")?;
        Ok(Self {
            on: if is_namespace {
                GrantedOn::Namespace(parsed::<NamespaceName>(row, "name")?)
            } else {
                GrantedOn::Repository(parsed::<RepositoryName>(row, "name")?)
            },
            role: parsed(row, "role")?,
            created_by: row.try_get("created_by")?,
            created_at: time(row, "created_at")?,
        })
    }
}

impl Database {
    /// A page of an organisation's teams.
    pub async fn teams(&self, organisation: &NamespaceName, page: &Page) -> Result<Paged<Team>, StoreError> {
        const TEAMS: ListSql = list!(
            "",
            "t.*",
            "teams t JOIN organisations o ON o.id = t.organisation_id WHERE o.name = $1",
            "t.name",
            " > $2",
            "",
            " LIMIT $3"
        );
        self.page(&TEAMS, &[Some(organisation.as_str())], page).await
    }

    /// The team `name` of an organisation.
    pub async fn team(&self, organisation: &NamespaceName, name: &NamespaceName) -> Result<Option<Team>, StoreError> {
        let team = sqlx::query_as(
            "SELECT t.* FROM teams t JOIN organisations o ON o.id = t.organisation_id WHERE o.name = $1 AND t.name = $2",
        );
        let team = team.bind(organisation.as_str()).bind(name.as_str());
        Ok(team.fetch_optional(&mut *self.reader().await?).await?)
    }

    /// Makes a team. Whether the name was free; `None` if there is no such organisation.
    pub async fn create_team(&self, organisation: &NamespaceName, team: &Team) -> Result<Option<Claim>, StoreError> {
        let mut transaction = self.write().await?;
        let Some(organisation_id) = organisation_id(&mut transaction, organisation).await? else { return Ok(None) };
        let made = sqlx::query(
            "INSERT INTO teams (id, organisation_id, name, description, created_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (organisation_id, name) DO NOTHING",
        )
        .bind(new_id())
        .bind(organisation_id)
        .bind(team.name.as_str())
        .bind(&team.description)
        .bind(micros(team.created_at))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(if made.rows_affected() > 0 { Claim::Made } else { Claim::Taken }))
    }

    /// Changes a team's name or description.
    pub async fn change_team(
        &self,
        organisation: &NamespaceName,
        name: &NamespaceName,
        change: &TeamChange,
    ) -> Result<TeamChanged, StoreError> {
        let mut transaction = self.write().await?;
        let Some(id) = team_id(&mut transaction, organisation, name).await? else { return Ok(TeamChanged::Unknown) };
        if let Some(new) = &change.name
            && team_id(&mut transaction, organisation, new).await?.is_some_and(|other| other != id)
        {
            return Ok(TeamChanged::Taken);
        }
        let team = sqlx::query_as(
            "UPDATE teams SET name = COALESCE($2, name), description = COALESCE($3, description)
             WHERE id = $1 RETURNING *",
        )
        .bind(id)
        .bind(change.name.as_ref().map(NamespaceName::as_str))
        .bind(&change.description)
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(TeamChanged::Changed(team))
    }

    /// Ends a team, with what it was granted; `None` if there is none of that name.
    pub async fn delete_team(
        &self,
        organisation: &NamespaceName,
        name: &NamespaceName,
    ) -> Result<Option<()>, StoreError> {
        let mut transaction = self.write().await?;
        let Some(id) = team_id(&mut transaction, organisation, name).await? else { return Ok(None) };
        revoke_team(&mut transaction, &id).await?;
        for statement in [
            "DELETE FROM grants WHERE team_id = $1",
            "DELETE FROM default_grants WHERE team_id = $1",
            "DELETE FROM invitation_teams WHERE team_id = $1",
            "DELETE FROM team_members WHERE team_id = $1",
            "DELETE FROM teams WHERE id = $1",
        ] {
            sqlx::query(statement).bind(&id).execute(&mut *transaction).await?;
        }
        self.commit_revocation(transaction).await?;
        Ok(Some(()))
    }

    /// A page of what a team was granted, on namespaces that are there and on repositories that are not deleted.
    pub async fn team_grants(
        &self,
        organisation: &NamespaceName,
        team: &NamespaceName,
        page: &Page,
    ) -> Result<Paged<TeamGrant>, StoreError> {
        const GRANTS: ListSql = list!(
            "",
            "h.*",
            "(SELECT n.name, 1 AS is_namespace, g.role, g.created_by, g.created_at
             FROM organisations o JOIN teams t ON t.organisation_id = o.id JOIN grants g ON g.team_id = t.id
             JOIN live_namespaces n ON n.id = g.namespace_id
             WHERE o.name = $1 AND t.name = $2
             UNION ALL
             SELECT r.name, 0 AS is_namespace, g.role, g.created_by, g.created_at
             FROM organisations o JOIN teams t ON t.organisation_id = o.id JOIN grants g ON g.team_id = t.id
             JOIN repositories r ON r.id = g.repository_id
             WHERE o.name = $1 AND t.name = $2 AND r.deleted_at IS NULL) h WHERE TRUE",
            "h.name",
            " > $3",
            "",
            " LIMIT $4"
        );
        self.page(&GRANTS, &[Some(organisation.as_str()), Some(team.as_str())], page).await
    }
}

/// The id of a team of an organisation that is not deleted.
pub(super) async fn team_id(
    connection: &mut SqliteConnection,
    organisation: &NamespaceName,
    name: &NamespaceName,
) -> sqlx::Result<Option<String>> {
    let id = sqlx::query_scalar(
        "SELECT t.id FROM teams t JOIN organisations o ON o.id = t.organisation_id
         WHERE o.name = $1 AND o.deleted_at IS NULL AND t.name = $2",
    );
    id.bind(organisation.as_str()).bind(name.as_str()).fetch_optional(connection).await
}

/// What the teams of a deleted organisation were granted elsewhere goes with it.
pub(super) async fn delete_grants_of_teams(
    connection: &mut SqliteConnection,
    organisation: &NamespaceName,
) -> sqlx::Result<()> {
    let teams = sqlx::query_scalar(
        "SELECT t.id FROM teams t JOIN organisations o ON o.id = t.organisation_id
         WHERE o.name = $1 AND EXISTS (SELECT 1 FROM grants g WHERE g.team_id = t.id)",
    );
    let teams: Vec<String> = teams.bind(organisation.as_str()).fetch_all(&mut *connection).await?;
    for team in teams {
        revoke_team(connection, &team).await?;
    }
    for statement in [
        "DELETE FROM grants WHERE team_id IN (
            SELECT t.id FROM teams t JOIN organisations o ON o.id = t.organisation_id WHERE o.name = $1)",
        "DELETE FROM default_grants WHERE team_id IN (
            SELECT t.id FROM teams t JOIN organisations o ON o.id = t.organisation_id WHERE o.name = $1)",
    ] {
        sqlx::query(statement).bind(organisation.as_str()).execute(&mut *connection).await?;
    }
    Ok(())
}
