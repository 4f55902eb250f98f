//! Teams: owners of an organisation run them, its members see them.

use super::Index;
use super::error::{Noun, Refusal};
use crate::model::fault::both;
use crate::model::line::DESCRIPTION;
use crate::model::team::{TeamChange, TeamGrant, TeamMember};
use crate::model::{Account, Fault, Page, Paged, Team};
use crate::store::{Claim, TeamChanged, TeamJoined};
use jiff::Timestamp;
use shared::NamespaceName;

/// A team by name.
#[derive(Debug, Clone)]
pub struct TeamPath {
    /// The organisation.
    pub organisation: NamespaceName,
    /// The team in it.
    pub team: NamespaceName,
}

impl Index {
    /// A page of the teams of `organisation`, for its members.
    pub async fn teams(
        &self,
        caller: &Account,
        organisation: &NamespaceName,
        page: &Page,
    ) -> Result<Paged<Team>, Refusal> {
        self.require_insider(caller, organisation).await?;
        Ok(self.database.teams(organisation, page).await?)
    }

    /// A team, for members of its organisation.
    pub async fn team(&self, caller: &Account, path: &TeamPath) -> Result<Team, Refusal> {
        self.require_insider(caller, &path.organisation).await?;
        self.database.team(&path.organisation, &path.team).await?.ok_or_else(|| no_team(path))
    }

    /// Makes a team that has no members yet.
    pub async fn create_team(
        &self,
        caller: &Account,
        organisation: &NamespaceName,
        name: &str,
        description: Option<String>,
        now: Timestamp,
    ) -> Result<Team, Refusal> {
        self.require_owner(caller, organisation).await?;
        let description = description.unwrap_or_default();
        let name = NamespaceName::parse(name).map_err(|error| Fault::at("/name", "not_a_name", error));
        let (name, ()) = both(name, DESCRIPTION.check(&description))?;
        let team = Team { name, description, created_at: now };
        match self.database.create_team(organisation, &team).await? {
            Some(Claim::Made) => Ok(team),
            Some(Claim::Taken) => Err(Refusal::TeamExists(team.name.to_string())),
            // It was deleted since.
            None => Err(Refusal::not_found(Noun::Organisation, organisation)),
        }
    }

    /// Changes a team's name or description.
    pub async fn change_team(&self, caller: &Account, path: &TeamPath, change: TeamChange) -> Result<Team, Refusal> {
        self.require_owner(caller, &path.organisation).await?;
        DESCRIPTION.check(change.description.as_deref().unwrap_or_default())?;
        match self.database.change_team(&path.organisation, &path.team, &change).await? {
            TeamChanged::Changed(team) => Ok(team),
            TeamChanged::Unknown => Err(no_team(path)),
            TeamChanged::Taken => {
                Err(Refusal::TeamExists(change.name.map(|name| name.to_string()).unwrap_or_default()))
            }
        }
    }

    /// Ends a team, with everything it was granted.
    pub async fn delete_team(&self, caller: &Account, path: &TeamPath) -> Result<(), Refusal> {
        self.require_owner(caller, &path.organisation).await?;
        self.database.delete_team(&path.organisation, &path.team).await?.ok_or_else(|| no_team(path))
    }

    /// A page of a team's members, for members of its organisation.
    pub async fn team_members(
        &self,
        caller: &Account,
        path: &TeamPath,
        page: &Page,
    ) -> Result<Paged<TeamMember>, Refusal> {
        self.team(caller, path).await?;
        Ok(self.database.team_members(&path.organisation, &path.team, page).await?)
    }

    /// Puts a member of the organisation into a team.
    pub async fn put_team_member(
        &self,
        caller: &Account,
        path: &TeamPath,
        account: &NamespaceName,
        now: Timestamp,
    ) -> Result<TeamMember, Refusal> {
        self.require_owner(caller, &path.organisation).await?;
        match self.database.put_team_member(&path.organisation, &path.team, account, now).await? {
            TeamJoined::Joined(member) => Ok(member),
            TeamJoined::NoSuchTeam => Err(no_team(path)),
            TeamJoined::NoMember => Err(Refusal::not_found(Noun::Member, account)),
        }
    }

    /// Takes an account out of a team. Anybody may leave.
    pub async fn delete_team_member(
        &self,
        caller: &Account,
        path: &TeamPath,
        account: &NamespaceName,
    ) -> Result<(), Refusal> {
        if caller.name == *account {
            self.require_insider(caller, &path.organisation).await?;
        } else {
            self.require_owner(caller, &path.organisation).await?;
        }
        let left = self.database.delete_team_member(&path.organisation, &path.team, account).await?;
        left.ok_or_else(|| Refusal::not_found(Noun::TeamMember, account))
    }

    /// A page of what a team was granted, for those in it and for owners: it may name what others must not see.
    pub async fn team_grants(
        &self,
        caller: &Account,
        path: &TeamPath,
        page: &Page,
    ) -> Result<Paged<TeamGrant>, Refusal> {
        self.team(caller, path).await?;
        if !self.database.is_in_team(&path.organisation, &path.team, &caller.name).await? {
            self.require_sight_of_owner(caller, &path.organisation).await?;
        }
        Ok(self.database.team_grants(&path.organisation, &path.team, page).await?)
    }
}

fn no_team(path: &TeamPath) -> Refusal {
    Refusal::not_found(Noun::Team, &path.team)
}
