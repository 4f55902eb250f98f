//! Sessions of browsers: begun with the password, continued by a secret, ended by their owner, by time, and by whatever
//! changes who may sign in.

use super::Index;
use super::access_tokens::{NOTED_EVERY, random_text};
use super::error::{Noun, Refusal};
use crate::model::session::{Session, SessionSecret};
use crate::model::{Account, Page, Paged};
use crate::store::NewSession;
use jiff::Timestamp;
use std::net::IpAddr;

/// What a browser says about itself.
pub struct Browser {
    /// What it calls itself.
    pub user_agent: String,
    /// The session that it has now, which a sign-in replaces.
    pub session: Option<SessionSecret>,
}

impl Index {
    /// Begins a session with an account's name and password. Its secret is nowhere else, and new: what the browser had before
    /// opens nothing any more.
    pub async fn begin_session(
        &self,
        user: &str,
        password: String,
        browser: Browser,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(Account, Session, SessionSecret), Refusal> {
        let (account, password_hash) = self.check_password(user, password, from, now).await?;
        if account.disabled_at.is_some() {
            return Err(Refusal::AccountDisabled);
        }
        let secret = new_secret();
        let session = Session {
            id: format!("ses_{}", uuid::Uuid::now_v7()),
            user_agent: browser.user_agent,
            created_at: now,
            last_used_at: now,
            last_used_from: from,
        };
        let replaced = browser.session.map(|secret| secret.hash());
        let new = NewSession {
            account_id: &account.id,
            password_hash: &password_hash,
            session: &session,
            secret_hash: &secret.hash(),
            instead_of: replaced.as_deref(),
        };
        self.database.create_session(&new).await?.ok_or(Refusal::BadCredentials)?;
        Ok((account, session, secret))
    }

    /// The session with this secret, used from the address `from`, and its account.
    pub(super) async fn sign_in_with_session(
        &self,
        secret: &SessionSecret,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(Account, Session), Refusal> {
        let found = self.database.session_by_hash(&secret.hash()).await?;
        let (account, session) = found.filter(|(_, session)| !session.is_over(now)).ok_or(Refusal::SessionOver)?;
        if now.duration_since(session.last_used_at) >= NOTED_EVERY {
            let (database, id) = (self.database.clone(), session.id.clone());
            // It opens whether or not that can be written, and does not wait for it.
            tokio::spawn(async move {
                if let Err(error) = database.session_used(&id, from, now).await {
                    tracing::warn!(session = id, "its use is not noted: {error}");
                }
            });
        }
        Ok((account, session))
    }

    /// A page of the sessions of `owner`.
    pub async fn sessions(&self, owner: &Account, page: &Page, now: Timestamp) -> Result<Paged<Session>, Refusal> {
        Ok(self.database.sessions(&owner.id, page, now).await?)
    }

    /// Ends one session of `owner`.
    pub async fn end_session(&self, owner: &Account, id: &str) -> Result<(), Refusal> {
        let ended = self.database.delete_session(&owner.id, id).await?;
        ended.ok_or_else(|| Refusal::not_found(Noun::Session, id))
    }

    /// Ends every session of `owner`.
    pub async fn end_sessions(&self, owner: &Account) -> Result<(), Refusal> {
        Ok(self.database.delete_sessions(&owner.id).await?)
    }
}

/// A secret for a new session, or for one that goes on under another.
pub(super) fn new_secret() -> SessionSecret {
    SessionSecret::new(&random_text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use crate::domain::Credentials;
    use crate::model::session::MAX_SESSIONS;
    use jiff::SignedDuration;

    const PASSWORD: &str = "correct horse";

    async fn index(folder: &tempfile::TempDir) -> Index {
        let variables = [("INDEX_DATA", folder.path().to_str().unwrap()), ("INDEX_ADMIN_PASSWORD", PASSWORD)];
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let settings = Settings::read(&environment).unwrap();
        let index = Index::open(&settings).await.unwrap();
        index.first_admin(&settings).await.unwrap();
        index
    }

    #[tokio::test]
    async fn use_puts_off_the_end_but_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let index = index(&folder).await;
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let day = |days: i64| start + SignedDuration::from_hours(24 * days);
        let sign_in = async |days| {
            let browser = Browser { user_agent: String::new(), session: None };
            index.begin_session("admin", PASSWORD.to_owned(), browser, None, day(days)).await.unwrap()
        };
        let (account, used, used_secret) = sign_in(0).await;
        let (_, _, idle_secret) = sign_in(0).await;
        let is_good = async |secret: &SessionSecret, days| {
            index.sign_in(Credentials::Session(secret.clone()), None, day(days)).await.is_ok()
        };
        for days in [6, 12, 18, 24, 29] {
            assert!(is_good(&used_secret, days).await, "day {days}");
            let is_noted = async || {
                let listed = index.sessions(&account, &Page::new(None, None), day(days)).await.unwrap().items;
                assert_eq!(listed.len(), if days < 7 { 2 } else { 1 }, "what is over is not listed");
                listed.iter().any(|session| session.id == used.id && session.last_used_at == day(days))
            };
            while !is_noted().await {
                tokio::task::yield_now().await;
            }
        }
        assert!(!is_good(&idle_secret, 7).await, "seven days unused");
        assert!(!is_good(&used_secret, 30).await, "thirty days old, however much it was used");
        sign_in(31).await;
        assert!(index.database.session_by_hash(&used_secret.hash()).await.unwrap().is_none(), "its row is gone");
    }

    #[tokio::test]
    async fn an_account_has_so_many_sessions_and_only_under_its_password() {
        let folder = tempfile::tempdir().unwrap();
        let index = index(&folder).await;
        let account = index.account("admin").await.unwrap();
        let (_, password_hash) = index.database.account_with_password_hash("admin").await.unwrap().unwrap();
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let secrets: Vec<SessionSecret> = (0..=MAX_SESSIONS).map(|_| new_secret()).collect();
        let keep = async |number: i64, secret: &SessionSecret| {
            let created_at = start + SignedDuration::from_secs(number);
            let session = Session {
                id: format!("ses_{number}"),
                user_agent: String::new(),
                created_at,
                last_used_at: created_at,
                last_used_from: None,
            };
            let new = NewSession {
                account_id: &account.id,
                password_hash: &password_hash,
                session: &session,
                secret_hash: &secret.hash(),
                instead_of: None,
            };
            index.database.create_session(&new).await.unwrap()
        };
        for (number, secret) in (0..).zip(&secrets) {
            assert!(keep(number, secret).await.is_some());
        }
        let mut left = Vec::new();
        for secret in &secrets {
            left.push(index.database.session_by_hash(&secret.hash()).await.unwrap().is_some());
        }
        assert_eq!(left.iter().position(|is_left| *is_left), Some(1));
        assert_eq!(left.iter().filter(|is_left| **is_left).count(), usize::try_from(MAX_SESSIONS).unwrap());
        // A sign-in whose password was changed meanwhile comes too late.
        index.database.set_password_hash(&account.id, "another", None).await.unwrap();
        assert!(keep(100, &new_secret()).await.is_none());
    }
}
