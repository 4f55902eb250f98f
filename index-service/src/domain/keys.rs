//! The keys of a data folder: listed, replaced by others, withdrawn. Beside a running index, which takes notice.

use super::key_ring::{KeyRing, KeyState, new_key};
use super::{Index, Refusal};
use crate::store::files::DataFolder;
use anyhow::{Context, ensure};
use jiff::{SignedDuration, Timestamp};

/// A key as it is listed.
pub struct ListedKey {
    /// Its fingerprint: the `kid` of its tokens.
    pub id: String,
    /// The time from which on it signs.
    pub signs_from: Timestamp,
    /// What it does now.
    pub state: KeyState,
}

/// The keys in a data folder.
pub struct TokenKeys(DataFolder);

impl TokenKeys {
    /// Those of this folder, where an index has been started once.
    pub fn of(folder: DataFolder) -> anyhow::Result<Self> {
        ensure!(
            !folder.token_keys()?.is_empty(),
            "there are no keys yet: the index makes the first when it is started"
        );
        Ok(Self(folder))
    }

    /// All of them, in the order of their turns.
    pub fn list(&self, now: Timestamp) -> anyhow::Result<Vec<ListedKey>> {
        let ring = self.ring()?;
        let listed =
            ring.keys(now).map(|(key, state)| ListedKey { id: key.id.clone(), signs_from: key.signs_from, state });
        Ok(listed.collect())
    }

    /// The certificates of all that are published, in PEM.
    pub fn bundle(&self, now: Timestamp) -> anyhow::Result<String> {
        Ok(self.ring()?.published(now).map(|key| key.certificate.as_str()).collect())
    }

    /// Makes a key that is published now and signs from `signs_from` on; removes those that are over.
    pub fn rotate(&self, signs_from: Timestamp, now: Timestamp) -> anyhow::Result<()> {
        let _alone = self.0.alone()?;
        for (key, state) in self.ring()?.keys(now) {
            ensure!(
                state != KeyState::Waiting,
                "key {} signs from {:.0} on: wait until it does, or withdraw all others with --now",
                key.id,
                key.signs_from
            );
            if state == KeyState::Over {
                self.0.remove_token_key(&key.file_name())?;
            }
        }
        self.0.add_token_key(&new_key(signs_from)?)
    }

    /// Makes a key that signs at once, and withdraws every other: what they have signed is good no more.
    pub fn withdraw_others(&self, now: Timestamp) -> anyhow::Result<()> {
        let _alone = self.0.alone()?;
        let before = self.0.token_keys()?;
        // Its time is its name: another second than that of any other.
        let mut signs_from = now;
        let mut new = new_key(signs_from)?;
        while before.iter().any(|file| file.name == new.name) {
            signs_from = signs_from.checked_sub(SignedDuration::from_secs(1)).context("there is no earlier time")?;
            new = new_key(signs_from)?;
        }
        self.0.add_token_key(&new)?;
        before.iter().try_for_each(|file| self.0.remove_token_key(&file.name))
    }

    fn ring(&self) -> anyhow::Result<KeyRing> {
        KeyRing::read(&self.0.token_keys()?, false)
    }
}

impl Index {
    /// The keys that its tokens are verified with at `now`, as a JSON Web Key Set.
    pub fn key_set(&self, now: Timestamp) -> serde_json::Value {
        self.signer.ring().key_set(now)
    }

    /// Takes the keys as they lie in the data folder now. Whether they are others than before. With one that is withdrawn
    /// before its time ends every token: registries remember which ones were good.
    pub async fn take_keys(&self, now: Timestamp) -> Result<bool, Refusal> {
        let (folder, x5c) = (self.folder.clone(), self.identity.x5c);
        let read = tokio::task::spawn_blocking(move || KeyRing::read(&folder.token_keys()?, x5c)).await;
        let fault = |error: &dyn std::fmt::Display| Refusal::Fault(error.to_string());
        let ring = read.map_err(|error| fault(&error))?.map_err(|error| fault(&format_args!("{error:#}")))?;
        if ring.is_empty() {
            return Err(Refusal::Fault("the folder of the token keys is empty".to_owned()));
        }
        let before = self.signer.ring();
        if ring.is_same(&before) {
            return Ok(false);
        }
        if before.published(now).any(|key| ring.published(now).all(|other| other.id != key.id)) {
            self.database.revoke_all().await?;
        }
        self.signer.replace(ring);
        Ok(true)
    }
}
