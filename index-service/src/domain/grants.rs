//! Giving roles on namespaces and repositories, and taking them away.

use super::Index;
use super::error::{Noun, Refusal};
use crate::model::{Account, Grant, GrantSubject, GrantTarget, GrantedOn, Page, Paged, Role};
use jiff::Timestamp;

impl Index {
    /// A page of the grants on `on`, for its administrators.
    pub async fn grants(&self, caller: &Account, on: &GrantedOn, page: &Page) -> Result<Paged<Grant>, Refusal> {
        let target = self.governed_by(caller, on).await?;
        Ok(self.database.grants(&target, page).await?)
    }

    /// Gives `subject` the role on `on`, in place of the one it was granted there. Teams and robots are for those who can see
    /// them.
    pub async fn put_grant(
        &self,
        caller: &Account,
        on: &GrantedOn,
        subject: GrantSubject,
        role: Role,
        now: Timestamp,
    ) -> Result<Grant, Refusal> {
        let target = self.governed_by(caller, on).await?;
        let (organisation, unknown) = match &subject {
            GrantSubject::User(name) => (None, Refusal::not_found(Noun::User, name)),
            GrantSubject::Team { organisation, team } => {
                (Some(organisation), Refusal::not_found(Noun::Team, format_args!("{organisation}/{team}")))
            }
            GrantSubject::Robot(name) => (Some(&name.organisation), Refusal::not_found(Noun::Robot, name)),
        };
        if let Some(organisation) = organisation
            && !self.is_member(caller, organisation).await?
        {
            return Err(unknown);
        }
        let grant = Grant { subject, role, created_by: caller.name.to_string(), created_at: now };
        self.database.put_grant(&target, &grant).await?.ok_or(unknown)?;
        Ok(grant)
    }

    /// Takes away what `subject` was granted on `on`.
    pub async fn delete_grant(&self, caller: &Account, on: &GrantedOn, subject: &GrantSubject) -> Result<(), Refusal> {
        let target = self.governed_by(caller, on).await?;
        let taken = self.database.delete_grant(&target, subject).await?;
        taken.ok_or_else(|| Refusal::not_found(Noun::Grant, subject))
    }

    /// The target, if `caller` administers it.
    async fn governed_by(&self, caller: &Account, on: &GrantedOn) -> Result<GrantTarget, Refusal> {
        let subject = caller.subject();
        match on {
            GrantedOn::Namespace(name) => {
                let seen = self.namespace_standing(&subject, name, Noun::Namespace).await?;
                if seen.standing.role() < Some(Role::Admin) {
                    return Err(Refusal::RoleNeeded { needed: Role::Admin, on: name.to_string() });
                }
                Ok(GrantTarget::Namespace(seen.namespace.id))
            }
            GrantedOn::Repository(name) => {
                let repository = self.repository_with(&subject, name, Role::Admin).await?;
                Ok(GrantTarget::Repository(repository.id))
            }
        }
    }
}
