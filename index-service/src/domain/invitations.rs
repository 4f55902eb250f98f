//! Invitations to organisations: owners make and revoke them, and whoever has the link accepts or declines.

use super::Index;
use super::access_tokens::{check_end, random_text};
use super::error::{Noun, Refusal};
use crate::model::invitation::{Invitation, InvitationSecret, InvitationState, LASTS, LASTS_AT_MOST, MAX_TEAMS};
use crate::model::sign_up::SignUp;
use crate::model::{Account, Member, MemberRole, Page, Paged};
use crate::store::{InvitationAccepted, InvitationMade};
use jiff::Timestamp;
use shared::NamespaceName;

/// An invitation to be made.
#[derive(Debug)]
pub struct NewInvitation {
    /// What one becomes with it.
    pub role: MemberRole,
    /// The teams that one comes into.
    pub teams: Vec<NamespaceName>,
    /// Whether whoever has no account may make one with it.
    pub allows_sign_up: bool,
    /// From when on it opens nothing; `None` for seven days from now.
    pub expires_at: Option<Timestamp>,
}

impl Index {
    /// A page of all invitations to `organisation`, for its owners.
    pub async fn invitations(
        &self,
        caller: &Account,
        organisation: &NamespaceName,
        page: &Page,
    ) -> Result<Paged<Invitation>, Refusal> {
        self.require_sight_of_owner(caller, organisation).await?;
        Ok(self.database.invitations(organisation, page).await?)
    }

    /// One invitation to `organisation`, for its owners.
    pub async fn invitation(
        &self,
        caller: &Account,
        organisation: &NamespaceName,
        id: &str,
    ) -> Result<Invitation, Refusal> {
        self.require_sight_of_owner(caller, organisation).await?;
        self.database.invitation(organisation, id).await?.ok_or_else(|| Refusal::not_found(Noun::Invitation, id))
    }

    /// Makes an invitation to `organisation`. Its secret is nowhere else.
    pub async fn create_invitation(
        &self,
        caller: &Account,
        organisation: &NamespaceName,
        new: NewInvitation,
        now: Timestamp,
    ) -> Result<(Invitation, InvitationSecret), Refusal> {
        self.require_owner(caller, organisation).await?;
        if new.allows_sign_up && self.sign_ups.mode == SignUp::Closed {
            return Err(Refusal::SignUpClosed);
        }
        if new.teams.len() > MAX_TEAMS {
            return Err(Refusal::invalid_at("/teams", "an invitation has at most 20 teams"));
        }
        check_end(new.expires_at, now)?;
        let expires_at = new.expires_at.unwrap_or(now + LASTS);
        if expires_at > now + LASTS_AT_MOST {
            return Err(Refusal::invalid_at("/expires_at", "expires_at is at most thirty days from now"));
        }
        let invitation = Invitation {
            id: format!("inv_{}", uuid::Uuid::now_v7()),
            organisation: organisation.clone(),
            // Read from its row.
            display_name: String::new(),
            role: new.role,
            teams: new.teams,
            allows_sign_up: new.allows_sign_up,
            created_by: caller.name.to_string(),
            created_at: now,
            expires_at,
            ended: None,
        };
        let secret = InvitationSecret::new(&random_text());
        match self.database.create_invitation(&invitation, &secret.hash()).await? {
            InvitationMade::Made(invitation) => Ok((invitation, secret)),
            InvitationMade::NoSuchOrganisation => Err(Refusal::not_found(Noun::Organisation, organisation)),
            InvitationMade::NoSuchTeam(team) => Err(Refusal::invalid(Refusal::not_found(Noun::Team, team))),
        }
    }

    /// Takes a pending invitation to `organisation` back.
    pub async fn revoke_invitation(
        &self,
        caller: &Account,
        organisation: &NamespaceName,
        id: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.require_owner(caller, organisation).await?;
        let revoked = self.database.revoke_invitation(organisation, id, caller.name.as_str(), now).await?;
        revoked.ok_or_else(|| Refusal::not_found(Noun::Invitation, id))
    }

    /// The pending invitation with this secret, for whoever has that.
    pub async fn offered_invitation(&self, secret: &str, now: Timestamp) -> Result<Invitation, Refusal> {
        Ok(self.pending_invitation(secret, now).await?.0)
    }

    /// `caller` joins with the invitation that has this secret; tells where, and as what.
    pub async fn accept_invitation(
        &self,
        caller: &Account,
        secret: &str,
        now: Timestamp,
    ) -> Result<(NamespaceName, Member), Refusal> {
        let (invitation, hash) = self.pending_invitation(secret, now).await?;
        match self.database.accept_invitation(&hash, caller, now).await? {
            InvitationAccepted::Joined => {
                let member = Member { account: caller.name.clone(), role: invitation.role, created_at: now };
                Ok((invitation.organisation, member))
            }
            InvitationAccepted::AlreadyMember => Err(Refusal::AlreadyMember(invitation.organisation.to_string())),
            // Somebody was faster: what it is now says who.
            InvitationAccepted::Over => Err(self.why_over(secret, now).await),
        }
    }

    /// `caller` does not want the invitation that has this secret, and nobody else gets it.
    pub async fn decline_invitation(&self, caller: &Account, secret: &str, now: Timestamp) -> Result<(), Refusal> {
        let (_, hash) = self.pending_invitation(secret, now).await?;
        match self.database.decline_invitation(&hash, caller.name.as_str(), now).await? {
            Some(()) => Ok(()),
            None => Err(self.why_over(secret, now).await),
        }
    }

    /// The pending invitation with this secret, and the secret's hash. One that never was is refused as one that cannot be.
    pub(super) async fn pending_invitation(
        &self,
        secret: &str,
        now: Timestamp,
    ) -> Result<(Invitation, String), Refusal> {
        let hash = InvitationSecret::parse(secret).ok_or(Refusal::NoSuchInvitation)?.hash();
        let invitation = self.database.invitation_by_hash(&hash).await?.ok_or(Refusal::NoSuchInvitation)?;
        match invitation.state(now) {
            InvitationState::Pending => Ok((invitation, hash)),
            state => Err(Refusal::InvitationOver(state)),
        }
    }

    /// Why an invitation that was pending a moment ago is not.
    pub(super) async fn why_over(&self, secret: &str, now: Timestamp) -> Refusal {
        // Whoever was faster may not be committed yet.
        if let Err(error) = self.moment().await {
            return error;
        }
        self.pending_invitation(secret, now).await.err().unwrap_or(Refusal::NoSuchInvitation)
    }
}
