//! Making the index fit what storage holds: for repositories that it does not know, and to compare what it does.
//!
//! Called by an administrator's command in the same process, never over HTTP.

use super::Index;
use super::error::{Noun, Refusal};
use crate::model::Account;
use crate::model::holdings::{Adoption, Found, Holdings};
use jiff::Timestamp;
use shared::RepositoryName;

/// Repositories read at once.
const PAGE: u32 = 1000;

impl Index {
    /// The account that gets what is found: one that administers the instance.
    pub async fn instance_admin(&self, name: &str) -> Result<Account, Refusal> {
        let account = self.database.account(name).await?.ok_or_else(|| Refusal::not_found(Noun::User, name))?;
        if account.is_admin && account.disabled_at.is_none() { Ok(account) } else { Err(Refusal::AdminNeeded) }
    }

    /// Takes a repository found in storage into the index. It is private; who reads it is its namespace's owner, and that
    /// is `admin` unless the namespace was there before and `found` may be given to it.
    pub async fn adopt(&self, found: &Found<'_>, admin: &Account, now: Timestamp) -> Result<Adoption, Refusal> {
        Ok(self.database.adopt(found, admin, now).await?)
    }

    /// The same, and nothing is changed.
    pub async fn would_adopt(&self, found: &Found<'_>, admin: &Account, now: Timestamp) -> Result<Adoption, Refusal> {
        Ok(self.database.would_adopt(found, admin, now).await?)
    }

    /// Whether there is a repository with this id, deleted or not.
    pub async fn knows_repository(&self, id: &str) -> Result<bool, Refusal> {
        Ok(self.database.knows_repository(id).await?)
    }

    /// What registries told of the repository.
    pub async fn holdings(&self, repository_id: &str) -> Result<Holdings, Refusal> {
        Ok(self.database.holdings(repository_id).await?)
    }

    /// The next repositories with content after the name `after`, with their ids; none at the end.
    pub async fn repositories_after(&self, after: &str) -> Result<Vec<(RepositoryName, String)>, Refusal> {
        Ok(self.database.repositories_after(after, PAGE).await?)
    }
}
