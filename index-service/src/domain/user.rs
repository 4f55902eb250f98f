//! Signing in, and changing or resetting a password.

use super::Index;
use super::error::{Noun, Refusal};
use super::passwords::given_or_random;
use super::sessions::new_secret;
use crate::model::access_token::{AccessToken, Secret, credential};
use crate::model::account::Owner;
use crate::model::origin::network;
use crate::model::password::{NewPassword, is_possible};
use crate::model::session::{Session, SessionSecret};
use crate::model::{Account, Origin, Subject};
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
    /// The secret of a session.
    Session(SessionSecret),
    /// None: a command on the machine itself acts as this administrator, who holds all that a password gives.
    OfCommand(Account),
}

/// Who signed in, and how.
#[derive(Clone)]
pub struct SignedIn {
    /// Who it is: a robot only with its access token.
    pub owner: Owner,
    /// The access token that stood in for the password, if one did.
    pub token: Option<AccessToken>,
    /// That token and its secret, as a registry token names them.
    pub credential: Option<String>,
    /// Where it asks from.
    pub origin: Origin,
    /// The session that a password began, if one goes on.
    pub session: Option<Session>,
}

/// A change of one's own password. It does not print itself.
pub struct PasswordChange {
    /// What it is.
    pub old: String,
    /// What it becomes.
    pub new: String,
}

impl SignedIn {
    /// The account, where everything that it may do is open.
    pub fn unlimited(self) -> Result<Account, Refusal> {
        match self.owner {
            _ if self.token.is_some_and(|token| token.is_limited()) => Err(Refusal::TokenLimited),
            Owner::Robot(_) => Err(Refusal::PersonNeeded),
            Owner::Person(account) => Ok(Account { origin: self.origin, ..account }),
        }
    }

    /// The account, and its session if it is in one, where only its password will do: a session was begun with that.
    pub fn person(self) -> Result<(Account, Option<Session>), Refusal> {
        match self.owner {
            Owner::Person(account) if self.token.is_none() => {
                Ok((Account { origin: self.origin, ..account }, self.session))
            }
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
        let mut session = None;
        let (owner, token, secret) = match credentials {
            Credentials::Anonymous => return Ok(None),
            Credentials::Session(secret) => {
                let (account, found) = self.sign_in_with_session(&secret, from, now).await?;
                session = Some(found);
                (Owner::Person(account), None, None)
            }
            Credentials::OfCommand(admin) => (Owner::Person(admin), None, None),
            Credentials::Token(secret) => {
                let (owner, token) = self.sign_in_with_token(None, &secret, from, now).await?;
                (owner, Some(token), Some(secret))
            }
            Credentials::Password { user, password } => match Secret::parse(&password) {
                Some(secret) => {
                    let (owner, token) = self.sign_in_with_token(Some(&user), &secret, from, now).await?;
                    (owner, Some(token), Some(secret))
                }
                None => (Owner::Person(self.check_password(&user, password, from, now).await?.0), None, None),
            },
        };
        if owner.disabled_at().is_some() {
            return Err(Refusal::AccountDisabled);
        }
        let credential = token.as_ref().zip(secret).map(|(token, secret)| credential(&token.id, &secret.hash()));
        Ok(Some(SignedIn { owner, token, credential, origin: Origin::Client(from), session }))
    }

    /// The account with this name and password, and the password's hash. Whoever asks, from `from`, may be guessing.
    pub(super) async fn check_password(
        &self,
        user: &str,
        password: String,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(Account, String), Refusal> {
        if !is_possible(&password) {
            return Err(Refusal::BadCredentials);
        }
        let network = network(from);
        let last = self.database.signed_in_at(user, network).await?;
        let guess = self.guesses.guess(user, network, last, now);
        let lane = guess.check(now)?;
        let found = self.database.account_with_password_hash(user).await?;
        let hash = found.as_ref().map(|(_, hash)| hash.clone());
        let is_right = self.passwords.verify_guess(guess, lane, password, hash, now).await?;
        let (account, hash) = found.filter(|_| is_right).ok_or(Refusal::BadCredentials)?;
        self.note_sign_in(&account, network, last, now);
        Ok((account, hash))
    }

    /// The subject of decisions about whoever has these credentials, and everything that it may do.
    pub async fn sign_in_subject(
        &self,
        credentials: Credentials,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Subject, Refusal> {
        let origin = Origin::Client(from);
        let Some(signed_in) = self.sign_in(credentials, from, now).await? else {
            return Ok(Subject::anonymous().at(origin));
        };
        if signed_in.token.is_some_and(|token| token.is_limited()) {
            return Err(Refusal::TokenLimited);
        }
        Ok(signed_in.owner.subject().at(origin))
    }

    /// Changes an account's password, which must be the old one now, and ends its sessions. Only the one in which that is done goes
    /// on, under the secret that is returned.
    pub async fn change_password(
        &self,
        account: &Account,
        session: Option<&Session>,
        PasswordChange { old, new }: PasswordChange,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<SessionSecret>, Refusal> {
        let user = account.name.as_str();
        self.check_password(user, old.clone(), from, now).await.map_err(|refusal| match refusal {
            Refusal::BadCredentials => Refusal::invalid_at("/old_password", "the old password is not right"),
            other => other,
        })?;
        let hash = self.passwords.hash(user, NewPassword::Chosen(new)).await?;
        let going_on = session.map(|session| (session.id.as_str(), new_secret()));
        let kept = going_on.as_ref().map(|(id, secret)| (*id, secret.hash()));
        self.database.set_password_hash(&account.id, &hash, kept).await?;
        self.forget_initial_password(old).await;
        Ok(going_on.map(|(_, secret)| secret))
    }

    /// Gives the account `name` another password, and ends its sessions. Without one given it is a random one, which is
    /// returned and is nowhere else. Who may call this is settled before.
    pub async fn reset_password(&self, name: &str, given: Option<String>) -> Result<Option<String>, Refusal> {
        let found = self.database.account_with_password_hash(name).await?;
        let (account, old_hash) = found.ok_or_else(|| Refusal::not_found(Noun::User, name))?;
        let (new, random) = given_or_random(given);
        let hash = self.passwords.hash(name, new).await?;
        let folder = self.folder.clone();
        let initial = tokio::task::spawn_blocking(move || folder.initial_password()).await;
        let initial = initial.map_err(|error| Refusal::Fault(error.to_string()))?;
        let is_its = match initial.clone() {
            Some(initial) => self.passwords.verify(initial, Some(old_hash)).await?,
            None => false,
        };
        self.database.set_password_hash(&account.id, &hash, None).await?;
        if let Some(initial) = initial.filter(|_| is_its) {
            self.forget_initial_password(initial).await;
        }
        Ok(random)
    }

    /// Removes the file with the first administrator's password if that is `old`, which opens nothing any more.
    async fn forget_initial_password(&self, old: String) {
        let folder = self.folder.clone();
        let forgotten = tokio::task::spawn_blocking(move || folder.forget_initial_password(&old)).await;
        if !matches!(forgotten, Ok(Ok(()))) {
            tracing::warn!("the file with the first administrator's old password could not be removed");
        }
    }
}
