//! Opening an index: its folder, database and keys, and at the very first start its first administrator.
//!
//! Must not decide what an index does once it is open.

use crate::config::Settings;
use crate::domain::{
    Cursors, Decisions, Guesses, Identity, Index, KeyRing, Passwords, SignUps, Signer, TokenKeys, given_or_random,
    new_key,
};
use crate::http::InternalSecret;
use crate::store::Database;
use crate::store::files::{DataFolder, read_or_make};
use anyhow::Context;
use jiff::Timestamp;
use rand::distr::{Alphanumeric, SampleString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Characters of a random secret: 256 bits and more.
const SECRET_LENGTH: usize = 43;

/// The administrator made at the first start, for whoever prints what to type next. It does not print itself.
pub struct FirstAdmin {
    /// The account's name.
    pub user: String,
    /// Where its password is, if it is a random one.
    pub password_file: Option<PathBuf>,
    /// The password, if it is a random one.
    pub password: Option<String>,
}

impl Index {
    /// Opens the index of these settings. A server then asks for its [first administrator](Self::first_admin).
    pub async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let folder = DataFolder::open(&settings.data)?;
        let _alone = folder.alone()?;
        let database = Database::open(&settings.database_url).await?;
        if folder.token_keys()?.is_empty() {
            folder.add_token_key(&new_key(Timestamp::now())?)?;
        }
        let signer = Signer::new(KeyRing::read(&folder.token_keys()?, settings.x5c)?);
        let cursors = Cursors::new(&folder.cursor_secret(random_secret)?);
        let identity = Identity {
            public_url: settings.public_url.clone(),
            origin: settings.origin.clone(),
            issuer: settings.issuer.clone(),
            service: settings.service.clone(),
            x5c: settings.x5c,
        };
        Ok(Self {
            decisions: Decisions::new(database.clone()),
            database,
            folder,
            passwords: Passwords::new(),
            guesses: Guesses::new(settings.wrong_passwords),
            signer: Arc::new(signer),
            identity: Arc::new(identity),
            token_lifetime: settings.token_lifetime,
            sign_ups: SignUps::new(settings.sign_up, settings.sign_ups_per_address),
            cursors: Arc::new(cursors),
        })
    }

    /// The same where there is one already, for a command beside it: opening would make another.
    pub async fn open_existing(settings: &Settings) -> anyhow::Result<Self> {
        let database = Database::path(&settings.database_url)?;
        anyhow::ensure!(database.exists(), "there is no index here: {} does not exist", database.display());
        Self::open(settings).await
    }

    /// Makes the first administrator, if there is no account yet. The password lies in its file before the account
    /// exists, so that a start that is cut off in between is simply made again.
    ///
    /// Last of what a start does: room for what is remembered later, which is not touched yet, would else be taken from the
    /// 19 MiB that the password's hash has touched, and an idle server be that much larger.
    pub async fn first_admin(&self, settings: &Settings) -> anyhow::Result<Option<FirstAdmin>> {
        let _alone = self.folder.alone()?;
        if self.database.has_accounts().await? {
            return Ok(None);
        }
        let user = settings.admin_user.clone();
        let (password, random) = given_or_random(settings.admin_password.clone());
        let password_file = random.as_ref().map(|random| self.folder.write_initial_password(random)).transpose()?;
        self.create_first_account(&user, password, Timestamp::now()).await.with_context(|| {
            format!("cannot make the first account {user:?} (INDEX_ADMIN_USER, INDEX_ADMIN_PASSWORD)")
        })?;
        Ok(Some(FirstAdmin { user, password_file, password: random }))
    }
}

/// The keys of the index in this folder, which may be running.
pub fn token_keys(data: &Path) -> anyhow::Result<TokenKeys> {
    anyhow::ensure!(data.is_dir(), "there is no data folder {}", data.display());
    TokenKeys::of(DataFolder::open(data)?)
}

/// The secret that registries show: given, or kept in a file that is made at the first start. `None`: no internal API.
pub fn internal_secret(settings: &Settings) -> anyhow::Result<Option<InternalSecret>> {
    if let Some(secret) = &settings.internal_secret {
        return Ok(Some(InternalSecret::new(secret.clone())));
    }
    let Some(path) = &settings.internal_secret_path else { return Ok(None) };
    let secret = read_or_make(path, random_secret).context("INDEX_INTERNAL_SECRET_PATH")?;
    Ok(Some(InternalSecret::new(secret)))
}

fn random_secret() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), SECRET_LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_first_password_that_is_guessed_soon_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let open = async |password: &str| {
            let variables = [("INDEX_DATA", folder.path().to_str().unwrap()), ("INDEX_ADMIN_PASSWORD", password)];
            let environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
            let settings = Settings::read(&environment).unwrap();
            Index::open(&settings).await.unwrap().first_admin(&settings).await
        };
        let error = open("password1").await.err().unwrap();
        let said = format!("{error:#}");
        assert!(said.contains("INDEX_ADMIN_PASSWORD") && said.contains("Add another word or two"), "{said}");
        assert!(open("correct horse").await.unwrap().is_some(), "no account was made before");
    }
}
