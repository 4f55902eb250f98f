//! Signing up: an account that somebody makes for oneself, perhaps with an invitation.

use super::Index;
use super::error::Refusal;
use crate::model::Account;
use crate::model::names::new_namespace;
use crate::model::sign_up::SignUp;
use crate::store::SignedUp;
use jiff::Timestamp;

impl Index {
    /// Makes an account with its namespace for whoever asks, as far as the instance is open. With the secret of an
    /// invitation it is a member of that organisation at once.
    pub async fn sign_up(
        &self,
        name: &str,
        password: String,
        invitation: Option<&str>,
        now: Timestamp,
    ) -> Result<Account, Refusal> {
        // Before any work, which would be a stranger's to order.
        match (self.sign_up, invitation) {
            (SignUp::Closed, _) => Err(Refusal::SignUpClosed),
            (SignUp::Invite, None) => Err(Refusal::InvitationNeeded),
            (SignUp::Open, None) => self.create_account(name, password, false, now).await,
            (SignUp::Open | SignUp::Invite, Some(secret)) => self.sign_up_invited(name, password, secret, now).await,
        }
    }

    async fn sign_up_invited(
        &self,
        name: &str,
        password: String,
        secret: &str,
        now: Timestamp,
    ) -> Result<Account, Refusal> {
        let (invitation, hash) = self.pending_invitation(secret, now).await?;
        if self.sign_up == SignUp::Invite && !invitation.allows_sign_up {
            return Err(Refusal::InvitationNeeded);
        }
        let new = self.new_account(new_namespace(name)?, password, false).await?;
        match self.database.sign_up_invited(&new, &hash, now).await? {
            SignedUp::Joined => self.account(new.name.as_str()).await,
            SignedUp::Taken => Err(Refusal::NameUnavailable),
            SignedUp::Over => Err(self.why_over(secret, now).await),
        }
    }
}
