//! Giving roles on namespaces and repositories, and taking them away.

use super::Index;
use super::error::{Noun, Refusal};
use crate::model::{Account, Grant, GrantSubject, GrantTarget, GrantedOn, Page, Paged, Role};
use jiff::Timestamp;

impl Index {
    /// A page of the grants on `on`, for its administrators.
    pub async fn grants(&self, caller: &Account, on: &GrantedOn, page: &Page) -> Result<Paged<Grant>, Refusal> {
        let subject = caller.subject();
        let target = match on {
            GrantedOn::Namespace(name) => GrantTarget::Namespace(self.namespace_seen(&subject, name).await?.id),
            GrantedOn::Repository(name) => {
                GrantTarget::Repository(self.repository_seen(&subject, name, Role::Admin).await?.id)
            }
        };
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
        if !self.may_name(caller, &subject).await? {
            return Err(unknown(&subject));
        }
        let grant = Grant { subject, role, created_by: caller.name.to_string(), created_at: now };
        self.database.put_grant(&target, &grant).await?.ok_or_else(|| unknown(&grant.subject))?;
        Ok(grant)
    }

    /// Takes away what `subject` was granted on `on`.
    pub async fn delete_grant(&self, caller: &Account, on: &GrantedOn, subject: &GrantSubject) -> Result<(), Refusal> {
        let target = self.governed_by(caller, on).await?;
        let taken = self.database.delete_grant(&target, subject).await?;
        taken.ok_or_else(|| Refusal::not_found(Noun::Grant, subject))
    }

    /// Whether `caller` can see the organisation's side that a subject is of; people are for all to name.
    pub(super) async fn may_name(&self, caller: &Account, subject: &GrantSubject) -> Result<bool, Refusal> {
        match subject {
            GrantSubject::User(_) => Ok(true),
            GrantSubject::Team { organisation, .. } => self.is_insider(caller, organisation).await,
            GrantSubject::Robot(name) => self.is_insider(caller, &name.organisation).await,
        }
    }

    /// The target, if `caller` administers it.
    async fn governed_by(&self, caller: &Account, on: &GrantedOn) -> Result<GrantTarget, Refusal> {
        let subject = caller.subject();
        match on {
            GrantedOn::Namespace(name) => {
                let namespace = self.namespace_administered(&subject, name).await?;
                Ok(GrantTarget::Namespace(namespace.id))
            }
            GrantedOn::Repository(name) => {
                let repository = self.repository_with(&subject, name, Role::Admin).await?;
                Ok(GrantTarget::Repository(repository.id))
            }
        }
    }
}

/// There is no such subject, or `may_name` says no.
pub(super) fn unknown(subject: &GrantSubject) -> Refusal {
    match subject {
        GrantSubject::User(name) => Refusal::not_found(Noun::User, name),
        GrantSubject::Team { organisation, team } => {
            Refusal::not_found(Noun::Team, format_args!("{organisation}/{team}"))
        }
        GrantSubject::Robot(name) => Refusal::not_found(Noun::Robot, name),
    }
}
