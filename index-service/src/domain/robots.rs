//! Robots: owners of an organisation run them, its members see them. They outlive whoever made them.

use super::Index;
use super::access_tokens::{Rotation, check_end, new_token_id, random_text};
use super::error::{Noun, Refusal};
use super::networks::check_networks;
use crate::model::access_token::{LastUse, Secret};
use crate::model::fault::all;
use crate::model::line::DESCRIPTION;
use crate::model::robot::{Robot, RobotChange, RobotName};
use crate::model::{Account, Page, Paged};
use crate::store::Claim;
use jiff::Timestamp;
use shared::{NamespaceName, Networks};

impl Index {
    /// A page of the robots of `organisation`, for its members.
    pub async fn robots(
        &self,
        caller: &Account,
        organisation: &NamespaceName,
        page: &Page,
    ) -> Result<Paged<Robot>, Refusal> {
        self.require_insider(caller, organisation).await?;
        Ok(self.database.robots(organisation, page).await?)
    }

    /// A robot, for members of its organisation.
    pub async fn robot(&self, caller: &Account, name: &RobotName) -> Result<Robot, Refusal> {
        self.require_insider(caller, &name.organisation).await?;
        self.database.robot(name).await?.ok_or_else(|| no_robot(name))
    }

    /// Makes a robot that holds nothing yet. Its secret is nowhere else.
    pub async fn create_robot(
        &self,
        caller: &Account,
        name: RobotName,
        description: Option<String>,
        allowed_networks: Networks,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(Robot, Secret), Refusal> {
        self.require_owner(caller, &name.organisation).await?;
        let (description, last_used) = (description.unwrap_or_default(), LastUse::default());
        all([DESCRIPTION.check(&description), check_networks(&allowed_networks), check_end(expires_at, now)])?;
        let disabled_at = None;
        let robot = Robot { name, description, disabled_at, allowed_networks, expires_at, last_used, created_at: now };
        let secret = Secret::of_robot(&random_text());
        match self.database.create_robot(&robot, &new_token_id(), &secret.hash()).await? {
            Some(Claim::Made) => Ok((robot, secret)),
            Some(Claim::Taken) => Err(Refusal::RobotExists(robot.name.to_string())),
            // It was deleted since.
            None => Err(Refusal::not_found(Noun::Organisation, &robot.name.organisation)),
        }
    }

    /// Changes what is said about a robot, or whether it may do anything.
    pub async fn change_robot(
        &self,
        caller: &Account,
        name: &RobotName,
        change: RobotChange,
        now: Timestamp,
    ) -> Result<Robot, Refusal> {
        self.require_owner(caller, &name.organisation).await?;
        let networks = change.allowed_networks.as_ref().map_or(Ok(()), check_networks);
        all([DESCRIPTION.check(change.description.as_deref().unwrap_or_default()), networks])?;
        self.database.change_robot(name, &change, now).await?.ok_or_else(|| no_robot(name))?;
        self.robot(caller, name).await
    }

    /// Gives a robot another secret. The one before opens for some seconds more.
    pub async fn rotate_robot(
        &self,
        caller: &Account,
        name: &RobotName,
        rotation: &Rotation,
        now: Timestamp,
    ) -> Result<(Robot, Secret), Refusal> {
        self.require_owner(caller, &name.organisation).await?;
        let old_until = rotation.old_until(self.robot(caller, name).await?.expires_at, now)?;
        let (account, token) = self.database.robot_ids(name).await?.ok_or_else(|| no_robot(name))?;
        let secret = Secret::of_robot(&random_text());
        let hash = secret.hash();
        let rotated = self.database.rotate_access_token(&account, &token, &hash, old_until, rotation.expires_at);
        rotated.await?.ok_or_else(|| no_robot(name))?;
        Ok((self.robot(caller, name).await?, secret))
    }

    /// Ends a robot, with everything that it was granted.
    pub async fn delete_robot(&self, caller: &Account, name: &RobotName) -> Result<(), Refusal> {
        self.require_owner(caller, &name.organisation).await?;
        self.database.delete_robot(name).await?.ok_or_else(|| no_robot(name))
    }
}

fn no_robot(name: &RobotName) -> Refusal {
    Refusal::not_found(Noun::Robot, name)
}
