//! Invitations to organisations. Each ends once: the row itself decides between two who accept at the same time.

use super::Claim;
use super::accounts::{NewAccount, insert_account};
use super::database::Database;
use super::error::StoreError;
use super::lists::{ListSql, list};
use super::namespaces::claim;
use super::rows::{flag, micros, parsed, parsed_option, time, time_option};
use super::teams::team_id;
use crate::model::invitation::{Ended, Invitation};
use crate::model::{Account, Page, Paged};
use jiff::Timestamp;
use shared::NamespaceName;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

/// What came of making an invitation.
#[derive(Debug)]
pub enum InvitationMade {
    /// It stands, as its row has it.
    Made(Invitation),
    /// There is no such organisation.
    NoSuchOrganisation,
    /// The organisation has no such team; nothing was made.
    NoSuchTeam(NamespaceName),
}

/// What came of accepting an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationAccepted {
    /// The account is a member now, and in the teams.
    Joined,
    /// It was one before; nothing was changed, and the invitation is good for somebody else.
    AlreadyMember,
    /// The invitation is no longer pending.
    Over,
}

/// What came of signing up with an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedUp {
    /// The account is there, and a member.
    Joined,
    /// The name is somebody's; nothing was made.
    Taken,
    /// The invitation is no longer pending; nothing was made.
    Over,
}

/// An [`Invitation`] from its row `i` and its organisation `o`, which is not deleted.
macro_rules! invitation_columns {
    () => {
        "i.*, o.name AS organisation, o.display_name,
            (SELECT string_agg(t.name, ' ' ORDER BY t.name) FROM invitation_teams v JOIN teams t ON t.id = v.team_id
             WHERE v.invitation_id = i.id) AS teams"
    };
}

/// Invitations `i` of organisations `o` that are there.
macro_rules! invitation_tables {
    () => {
        "invitations i JOIN organisations o ON o.id = i.organisation_id AND o.deleted_at IS NULL"
    };
}

macro_rules! select_invitations {
    ($condition:literal) => {
        concat!("SELECT ", invitation_columns!(), " FROM ", invitation_tables!(), " ", $condition)
    };
}

impl FromRow<'_, SqliteRow> for Invitation {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let teams: Option<&str> = row.try_get("teams")?;
        let teams = teams.unwrap_or_default().split_whitespace().map(NamespaceName::parse).collect::<Result<_, _>>();
        let ended = match (parsed_option(row, "ended_as")?, time_option(row, "ended_at")?) {
            (Some(as_state), Some(at)) => Some(Ended { as_state, by: row.try_get("ended_by")?, at }),
            _ => None,
        };
        Ok(Self {
            id: row.try_get("id")?,
            organisation: parsed(row, "organisation")?,
            display_name: row.try_get("display_name")?,
            role: parsed(row, "role")?,
            teams: teams.map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            allows_sign_up: flag(row, "allows_sign_up")?,
            created_by: row.try_get("created_by")?,
            created_at: time(row, "created_at")?,
            expires_at: time(row, "expires_at")?,
            ended,
        })
    }
}

impl Database {
    /// A page of all invitations to an organisation, the oldest first.
    pub async fn invitations(
        &self,
        organisation: &NamespaceName,
        page: &Page,
    ) -> Result<Paged<Invitation>, StoreError> {
        const INVITATIONS: ListSql = list!(
            "",
            invitation_columns!(),
            concat!(invitation_tables!(), " WHERE o.name = $1"),
            "i.id",
            " > $2",
            "",
            " LIMIT $3"
        );
        self.page(&INVITATIONS, &[Some(organisation.as_str())], page).await
    }

    /// One invitation to an organisation.
    pub async fn invitation(&self, organisation: &NamespaceName, id: &str) -> Result<Option<Invitation>, StoreError> {
        const INVITATION: &str = select_invitations!("WHERE o.name = $1 AND i.id = $2");
        let invitation = sqlx::query_as(INVITATION).bind(organisation.as_str()).bind(id);
        Ok(invitation.fetch_optional(&mut *self.reader().await?).await?)
    }

    /// The invitation whose secret has this hash.
    pub async fn invitation_by_hash(&self, hash: &str) -> Result<Option<Invitation>, StoreError> {
        const INVITATION: &str = select_invitations!("WHERE i.secret_hash = $1");
        Ok(sqlx::query_as(INVITATION).bind(hash).fetch_optional(&mut *self.reader().await?).await?)
    }

    /// Makes an invitation.
    pub async fn create_invitation(&self, new: &Invitation, hash: &str) -> Result<InvitationMade, StoreError> {
        const INVITATION: &str = select_invitations!("WHERE i.id = $1");
        let mut transaction = self.write().await?;
        let made = sqlx::query(
            "INSERT INTO invitations
                 (id, organisation_id, secret_hash, role, allows_sign_up, created_by, created_at, expires_at)
             SELECT $1, o.id, $3, $4, $5, $6, $7, $8 FROM organisations o WHERE o.name = $2 AND o.deleted_at IS NULL",
        )
        .bind(&new.id)
        .bind(new.organisation.as_str())
        .bind(hash)
        .bind(new.role.as_str())
        .bind(i64::from(new.allows_sign_up))
        .bind(&new.created_by)
        .bind(micros(new.created_at))
        .bind(micros(new.expires_at))
        .execute(&mut *transaction)
        .await?;
        if made.rows_affected() == 0 {
            return Ok(InvitationMade::NoSuchOrganisation);
        }
        for team in &new.teams {
            let Some(id) = team_id(&mut transaction, &new.organisation, team).await? else {
                return Ok(InvitationMade::NoSuchTeam(team.clone()));
            };
            sqlx::query(
                "INSERT INTO invitation_teams (invitation_id, team_id) VALUES ($1, $2)
                 ON CONFLICT (invitation_id, team_id) DO NOTHING",
            )
            .bind(&new.id)
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        }
        let invitation = sqlx::query_as(INVITATION).bind(&new.id).fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(InvitationMade::Made(invitation))
    }

    /// Takes an invitation back; `None` if there is none that nobody ended.
    pub async fn revoke_invitation(
        &self,
        organisation: &NamespaceName,
        id: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<()>, StoreError> {
        let mut transaction = self.write().await?;
        let revoked = sqlx::query(
            "UPDATE invitations SET ended_as = 'revoked', ended_by = $3, ended_at = $4
             WHERE id = $2 AND ended_as IS NULL AND organisation_id = (SELECT id FROM organisations WHERE name = $1)",
        )
        .bind(organisation.as_str())
        .bind(id)
        .bind(by)
        .bind(micros(now))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok((revoked.rows_affected() > 0).then_some(()))
    }

    /// Ends an invitation that nobody wants; `None` if it is no longer pending.
    pub async fn decline_invitation(&self, hash: &str, by: &str, now: Timestamp) -> Result<Option<()>, StoreError> {
        let mut transaction = self.write().await?;
        let declined = sqlx::query(
            "UPDATE invitations SET ended_as = 'declined', ended_by = $2, ended_at = $3
             WHERE secret_hash = $1 AND ended_as IS NULL AND expires_at > $3",
        )
        .bind(hash)
        .bind(by)
        .bind(micros(now))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok((declined.rows_affected() > 0).then_some(()))
    }

    /// Makes `account` a member with the invitation whose secret has this hash.
    pub async fn accept_invitation(
        &self,
        hash: &str,
        account: &Account,
        now: Timestamp,
    ) -> Result<InvitationAccepted, StoreError> {
        let mut transaction = self.write().await?;
        let accepted = join(&mut transaction, hash, &account.id, &account.name, now).await?;
        if accepted == InvitationAccepted::Joined {
            transaction.commit().await?;
        }
        Ok(accepted)
    }

    /// Makes an account with its namespace, and a member with the invitation whose secret has this hash.
    pub async fn sign_up_invited(
        &self,
        account: &NewAccount,
        hash: &str,
        now: Timestamp,
    ) -> Result<SignedUp, StoreError> {
        let mut transaction = self.write().await?;
        if claim(&mut transaction, &account.name).await? == Claim::Taken {
            return Ok(SignedUp::Taken);
        }
        let id = insert_account(&mut transaction, account, now).await?;
        match join(&mut transaction, hash, &id, &account.name, now).await? {
            InvitationAccepted::Joined => {
                transaction.commit().await?;
                Ok(SignedUp::Joined)
            }
            InvitationAccepted::AlreadyMember | InvitationAccepted::Over => Ok(SignedUp::Over),
        }
    }
}

/// Ends the invitation and lets the account in. What is not `Joined` must not be committed.
async fn join(
    connection: &mut SqliteConnection,
    hash: &str,
    account_id: &str,
    account: &NamespaceName,
    now: Timestamp,
) -> sqlx::Result<InvitationAccepted> {
    let invitation: Option<String> = sqlx::query_scalar(
        "UPDATE invitations SET ended_as = 'accepted', ended_by = $2, ended_at = $3
         WHERE secret_hash = $1 AND ended_as IS NULL AND expires_at > $3
             AND EXISTS (SELECT 1 FROM organisations o WHERE o.id = organisation_id AND o.deleted_at IS NULL)
         RETURNING id",
    )
    .bind(hash)
    .bind(account.as_str())
    .bind(micros(now))
    .fetch_optional(&mut *connection)
    .await?;
    let Some(invitation) = invitation else { return Ok(InvitationAccepted::Over) };
    let joined = sqlx::query(
        "INSERT INTO members (organisation_id, account_id, role, created_at)
         SELECT organisation_id, $2, role, $3 FROM invitations WHERE id = $1
         ON CONFLICT (organisation_id, account_id) DO NOTHING",
    )
    .bind(&invitation)
    .bind(account_id)
    .bind(micros(now))
    .execute(&mut *connection)
    .await?;
    if joined.rows_affected() == 0 {
        return Ok(InvitationAccepted::AlreadyMember);
    }
    sqlx::query(
        "INSERT INTO team_members (team_id, account_id, created_at)
         SELECT team_id, $2, $3 FROM invitation_teams WHERE invitation_id = $1",
    )
    .bind(&invitation)
    .bind(account_id)
    .bind(micros(now))
    .execute(connection)
    .await?;
    Ok(InvitationAccepted::Joined)
}
