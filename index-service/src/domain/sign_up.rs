//! Signing up: an account that somebody makes for oneself, perhaps with an invitation, and not too many from one address.

use super::Index;
use super::error::Refusal;
use crate::model::Account;
use crate::model::names::new_namespace;
use crate::model::origin::network;
use crate::model::password::NewPassword;
use crate::model::rate::{Past, Rate};
use crate::model::sign_up::SignUp;
use crate::store::SignedUp;
use jiff::Timestamp;
use quick_cache::unsync::Cache;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Addresses that are remembered; some 50 bytes each.
const REMEMBERED: usize = 100_000;

/// Who may sign up, and how often a minute from one address. Clones share what is remembered, which is of one process and
/// in memory.
#[derive(Clone)]
pub struct SignUps {
    /// Who may.
    pub(super) mode: SignUp,
    rate: Rate,
    addresses: Arc<Mutex<Cache<IpAddr, Past>>>,
}

impl SignUps {
    /// Nobody has signed up yet.
    pub fn new(mode: SignUp, rate: Rate) -> Self {
        Self { mode, rate, addresses: Arc::new(Mutex::new(Cache::new(REMEMBERED))) }
    }

    /// Counts one more from `from`, whatever comes of it: each costs the hash of a password, and may tell whose a name is.
    fn count(&self, from: Option<IpAddr>, now: Timestamp) -> Result<(), Refusal> {
        let from = network(from);
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let past = addresses.get(&from).copied().unwrap_or_default();
        self.rate.check(past, now).map_err(Refusal::TooManySignUps)?;
        addresses.insert(from, self.rate.again(past, now));
        Ok(())
    }
}

impl Index {
    /// Makes an account with its namespace for whoever asks, as far as the instance is open. With the secret of an
    /// invitation it is a member of that organisation at once. `from` is the client's address.
    pub async fn sign_up(
        &self,
        name: &str,
        password: String,
        invitation: Option<&str>,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Account, Refusal> {
        // Before any work, which would be a stranger's to order.
        match (self.sign_ups.mode, invitation) {
            (SignUp::Closed, _) => return Err(Refusal::SignUpClosed),
            (SignUp::Invite, None) => return Err(Refusal::InvitationNeeded),
            (SignUp::Invite, Some(_)) | (SignUp::Open, _) => self.sign_ups.count(from, now)?,
        }
        match invitation {
            Some(secret) => self.sign_up_invited(name, password, secret, now).await,
            None => self.create_account(name, password, false, now).await,
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
        if self.sign_ups.mode == SignUp::Invite && !invitation.allows_sign_up {
            return Err(Refusal::InvitationNeeded);
        }
        let new = self.new_account(new_namespace(name)?, NewPassword::Chosen(password), false).await?;
        match self.database.sign_up_invited(&new, &hash, now).await? {
            SignedUp::Joined => self.account(new.name.as_str()).await,
            SignedUp::Taken => Err(Refusal::NameUnavailable),
            SignedUp::Over => Err(self.why_over(secret, now).await),
        }
    }
}
