//! Signing in, and changing a password.

use super::Index;
use super::error::Refusal;
use crate::model::access_token::{AccessToken, Secret, credential};
use crate::model::account::Owner;
use crate::model::password::is_possible;
use crate::model::{Account, Subject};
use jiff::Timestamp;
use std::net::IpAddr;

/// What a client says about itself. It does not print itself.
pub enum Credentials {
    /// Nothing.
    Anonymous,
    /// A name and a password, or an access token's secret in its place.
    Password {
        /// The account's name, as typed.
        user: String,
        /// The password.
        password: String,
    },
    /// The secret of an access token, without a name.
    Token(Secret),
}

/// Who signed in, and how.
pub struct SignedIn {
    /// Who it is: a robot only with its access token.
    pub owner: Owner,
    /// The access token that stood in for the password, if one did.
    pub token: Option<AccessToken>,
    /// That token and its secret, as a registry token names them.
    pub credential: Option<String>,
}

impl SignedIn {
    /// The account, where everything that it may do is open.
    pub fn unlimited(self) -> Result<Account, Refusal> {
        match self.owner {
            _ if self.token.is_some_and(|token| token.is_limited()) => Err(Refusal::TokenLimited),
            Owner::Robot(_) => Err(Refusal::PersonNeeded),
            Owner::Person(account) => Ok(account),
        }
    }

    /// The account, where only its password will do.
    pub fn person(self) -> Result<Account, Refusal> {
        match self.owner {
            Owner::Person(account) if self.token.is_none() => Ok(account),
            _ => Err(Refusal::PasswordNeeded),
        }
    }
}

impl Index {
    /// Who has these credentials, at the address `from`; `None` for the anonymous client. Wrong ones are never taken for none.
    pub async fn sign_in(
        &self,
        credentials: Credentials,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, Refusal> {
        let (owner, token, secret) = match credentials {
            Credentials::Anonymous => return Ok(None),
            Credentials::Token(secret) => {
                let (owner, token) = self.sign_in_with_token(None, &secret, from, now).await?;
                (owner, Some(token), Some(secret))
            }
            Credentials::Password { user, password } => match Secret::parse(&password) {
                Some(secret) => {
                    let (owner, token) = self.sign_in_with_token(Some(&user), &secret, from, now).await?;
                    (owner, Some(token), Some(secret))
                }
                None => (Owner::Person(self.sign_in_with_password(&user, password).await?), None, None),
            },
        };
        if owner.disabled_at().is_some() {
            return Err(Refusal::AccountDisabled);
        }
        let credential = token.as_ref().zip(secret).map(|(token, secret)| credential(&token.id, &secret.hash()));
        Ok(Some(SignedIn { owner, token, credential }))
    }

    async fn sign_in_with_password(&self, user: &str, password: String) -> Result<Account, Refusal> {
        if !is_possible(&password) {
            return Err(Refusal::BadCredentials);
        }
        let (account, hash) = self.database.account_with_password_hash(user).await?.unzip();
        let is_right = self.passwords.verify(password, hash).await?;
        account.filter(|_| is_right).ok_or(Refusal::BadCredentials)
    }

    /// The subject of decisions about whoever has these credentials, and everything that it may do.
    pub async fn sign_in_subject(
        &self,
        credentials: Credentials,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Subject, Refusal> {
        let Some(signed_in) = self.sign_in(credentials, from, now).await? else { return Ok(Subject::anonymous()) };
        if signed_in.token.is_some_and(|token| token.is_limited()) {
            return Err(Refusal::TokenLimited);
        }
        Ok(signed_in.owner.subject())
    }

    /// Changes an account's password, which must be `old` now.
    pub async fn change_password(&self, account: &Account, old: String, new: String) -> Result<(), Refusal> {
        let user = account.name.as_str();
        let signed_in = self.sign_in_with_password(user, old.clone()).await;
        signed_in.map_err(|refusal| match refusal {
            Refusal::BadCredentials => Refusal::invalid("the old password is not right"),
            other => other,
        })?;
        let hash = self.passwords.hash(user, new).await?;
        self.database.set_password_hash(&account.id, &hash).await?;
        let folder = self.folder.clone();
        let forgotten = tokio::task::spawn_blocking(move || folder.forget_initial_password(&old)).await;
        if !matches!(forgotten, Ok(Ok(()))) {
            tracing::warn!("the file with the first administrator's old password could not be removed");
        }
        Ok(())
    }
}
