//! Signing up: an account that somebody makes for oneself.

use super::Index;
use super::error::Refusal;
use crate::model::Account;
use crate::model::sign_up::SignUp;
use jiff::Timestamp;

impl Index {
    /// Makes an account with its namespace for whoever asks, where the instance is open to all.
    pub async fn sign_up(&self, name: &str, password: String, now: Timestamp) -> Result<Account, Refusal> {
        match self.sign_up {
            // Before any work, which would be a stranger's to order.
            SignUp::Closed => Err(Refusal::SignUpClosed),
            SignUp::Open => self.create_account(name, password, false, now).await,
        }
    }
}
