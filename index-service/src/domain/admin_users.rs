//! Accounts, as administrators of the instance run them. Who may call this is settled before.

use super::Index;
use super::error::{Noun, Refusal};
use super::search::check_text;
use crate::model::account::{AccountChange, AccountFilter};
use crate::model::names::{first_account, new_namespace};
use crate::model::password::NewPassword;
use crate::model::{Account, Page, Paged};
use crate::store::{AccountChanged, Claim, NewAccount};
use jiff::Timestamp;
use shared::NamespaceName;

impl Index {
    /// A page of the accounts.
    pub async fn accounts(&self, filter: &AccountFilter, page: &Page) -> Result<Paged<Account>, Refusal> {
        filter.text.as_deref().map_or(Ok(()), check_text)?;
        Ok(self.database.accounts(filter, page).await?)
    }

    /// The account `name`.
    pub async fn account(&self, name: &str) -> Result<Account, Refusal> {
        self.database.account(name).await?.ok_or_else(|| Refusal::not_found(Noun::User, name))
    }

    /// Makes an account and its namespace.
    pub async fn create_account(
        &self,
        name: &str,
        password: String,
        is_admin: bool,
        now: Timestamp,
    ) -> Result<Account, Refusal> {
        self.make_account(new_namespace(name)?, NewPassword::Chosen(password), is_admin, now).await
    }

    /// Makes the first account of the instance, which administers it and may have a name that nobody gets after it.
    pub(crate) async fn create_first_account(
        &self,
        name: &str,
        password: NewPassword,
        now: Timestamp,
    ) -> Result<Account, Refusal> {
        self.make_account(first_account(name)?, password, true, now).await
    }

    async fn make_account(
        &self,
        name: NamespaceName,
        password: NewPassword,
        is_admin: bool,
        now: Timestamp,
    ) -> Result<Account, Refusal> {
        let new = self.new_account(name, password, is_admin).await?;
        match self.database.create_account(&new, now).await? {
            Claim::Made => self.account(new.name.as_str()).await,
            Claim::Taken => Err(Refusal::NameUnavailable),
        }
    }

    /// An account to be made, with the hash of its password.
    pub(super) async fn new_account(
        &self,
        name: NamespaceName,
        password: NewPassword,
        is_admin: bool,
    ) -> Result<NewAccount, Refusal> {
        let password_hash = self.passwords.hash(name.as_str(), password).await?;
        Ok(NewAccount { name, password_hash, is_admin })
    }

    /// Changes an account.
    pub async fn change_account(&self, name: &str, change: AccountChange, now: Timestamp) -> Result<Account, Refusal> {
        match self.database.change_account(name, change, now).await? {
            AccountChanged::Changed(account) => Ok(account),
            AccountChanged::Unknown => Err(Refusal::not_found(Noun::User, name)),
            AccountChanged::LastAdmin => Err(Refusal::LastAdmin),
            AccountChanged::AdminAndAuditor => Err(Refusal::AdminAndAuditor),
        }
    }
}
