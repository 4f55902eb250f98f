//! Signing in with a password, and changing it.

use super::Index;
use super::error::Refusal;
use crate::model::password::{NewPassword, is_possible};
use crate::model::{Account, Subject};

/// What a client says about itself. It does not print itself.
pub enum Credentials {
    /// Nothing.
    Anonymous,
    /// A name and a password.
    Password {
        /// The account's name, as typed.
        user: String,
        /// The password.
        password: String,
    },
}

impl Index {
    /// The account of these credentials; `None` for the anonymous client. Wrong ones are never taken for none.
    pub async fn sign_in(&self, credentials: Credentials) -> Result<Option<Account>, Refusal> {
        let Credentials::Password { user, password } = credentials else { return Ok(None) };
        if !is_possible(&password) {
            return Err(Refusal::BadCredentials);
        }
        let (account, hash) = self.database.account_with_password_hash(&user).await?.unzip();
        let is_right = self.passwords.verify(password, hash).await?;
        match account {
            Some(account) if is_right && account.disabled_at.is_some() => Err(Refusal::AccountDisabled),
            Some(account) if is_right => Ok(Some(account)),
            _ => Err(Refusal::BadCredentials),
        }
    }

    /// The same, as the subject of a decision.
    pub async fn sign_in_subject(&self, credentials: Credentials) -> Result<Subject, Refusal> {
        let account = self.sign_in(credentials).await?;
        Ok(account.map_or_else(Subject::anonymous, |account| account.subject()))
    }

    /// Changes an account's password, which must be `old` now.
    pub async fn change_password(&self, account: &Account, old: String, new: String) -> Result<(), Refusal> {
        let new = NewPassword::parse(new).map_err(Refusal::invalid)?;
        let user = account.name.to_string();
        let signed_in = self.sign_in(Credentials::Password { user, password: old.clone() }).await;
        signed_in.map_err(|refusal| match refusal {
            Refusal::BadCredentials => Refusal::invalid("the old password is not right"),
            other => other,
        })?;
        let hash = self.passwords.hash(new).await?;
        self.database.set_password_hash(&account.id, &hash).await?;
        let folder = self.folder.clone();
        let forgotten = tokio::task::spawn_blocking(move || folder.forget_initial_password(&old)).await;
        if !matches!(forgotten, Ok(Ok(()))) {
            tracing::warn!("the file with the first administrator's old password could not be removed");
        }
        Ok(())
    }
}
