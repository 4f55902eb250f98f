//! Giving roles on namespaces and repositories, and taking them away.

use super::Index;
use super::error::{Noun, Refusal};
use crate::model::{Account, Grant, GrantTarget, Page, Paged, Role};
use jiff::Timestamp;
use shared::{NamespaceName, RepositoryName};

/// What a grant is on, by name.
#[derive(Debug)]
pub enum Governed {
    /// Everything in a namespace.
    Namespace(NamespaceName),
    /// One repository.
    Repository(RepositoryName),
}

impl Index {
    /// A page of the grants on `on`, for its administrators.
    pub async fn grants(&self, caller: &Account, on: &Governed, page: &Page) -> Result<Paged<Grant>, Refusal> {
        let target = self.governed_by(caller, on).await?;
        Ok(self.database.grants(&target, page).await?)
    }

    /// Gives `account` the role on `on`, in place of the one it was granted there.
    pub async fn put_grant(
        &self,
        caller: &Account,
        on: &Governed,
        account: NamespaceName,
        role: Role,
        now: Timestamp,
    ) -> Result<Grant, Refusal> {
        let target = self.governed_by(caller, on).await?;
        let grant = Grant { account, role, created_by: caller.name.to_string(), created_at: now };
        match self.database.put_grant(&target, &grant).await? {
            Some(()) => Ok(grant),
            None => Err(Refusal::not_found(Noun::User, grant.account)),
        }
    }

    /// Takes away what `account` was granted on `on`.
    pub async fn delete_grant(&self, caller: &Account, on: &Governed, account: &NamespaceName) -> Result<(), Refusal> {
        let target = self.governed_by(caller, on).await?;
        let taken = self.database.delete_grant(&target, account).await?;
        taken.ok_or_else(|| Refusal::not_found(Noun::Grant, account))
    }

    /// The target, if `caller` administers it.
    async fn governed_by(&self, caller: &Account, on: &Governed) -> Result<GrantTarget, Refusal> {
        let subject = caller.subject();
        match on {
            Governed::Namespace(name) => {
                let seen = self.namespace_standing(&subject, name, Noun::Namespace).await?;
                if seen.standing.role() < Some(Role::Admin) {
                    return Err(Refusal::RoleNeeded { needed: Role::Admin, on: name.to_string() });
                }
                Ok(GrantTarget::Namespace(seen.namespace.id))
            }
            Governed::Repository(name) => {
                let repository = self.repository_with(&subject, name, Role::Admin).await?;
                Ok(GrantTarget::Repository(repository.id))
            }
        }
    }
}
