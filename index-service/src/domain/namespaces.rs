//! Namespaces, as far as one may see them, and what their administrators say about them.

use super::Index;
use super::error::{Noun, Refusal};
use crate::model::line::DESCRIPTION;
use crate::model::{Account, Namespace, NamespaceChange, Page, Paged, Role, Subject};
use crate::store::NamespaceStanding;
use shared::NamespaceName;

impl Index {
    /// A page of the namespaces that `subject` may see.
    pub async fn namespaces(&self, subject: &Subject, page: &Page) -> Result<Paged<Namespace>, Refusal> {
        Ok(self.database.namespaces(subject, page).await?)
    }

    /// The namespace `name`.
    pub async fn namespace(&self, subject: &Subject, name: &NamespaceName) -> Result<Namespace, Refusal> {
        Ok(self.namespace_standing(subject, name, Noun::Namespace).await?.namespace)
    }

    /// Changes what is said about the namespace `name`, and what new repositories in it are.
    pub async fn change_namespace(
        &self,
        caller: &Account,
        name: &NamespaceName,
        change: &NamespaceChange,
    ) -> Result<Namespace, Refusal> {
        let namespace = self.namespace_administered(&caller.subject(), name).await?;
        DESCRIPTION.check(change.description.as_deref().unwrap_or_default())?;
        let changed = self.database.change_namespace(&namespace.id, change).await?;
        changed.ok_or_else(|| Refusal::not_found(Noun::Namespace, name))
    }

    /// The namespace `name`, if `subject` administers it.
    pub(super) async fn namespace_administered(
        &self,
        subject: &Subject,
        name: &NamespaceName,
    ) -> Result<Namespace, Refusal> {
        let seen = self.namespace_standing(subject, name, Noun::Namespace).await?;
        if seen.standing.role() == Some(Role::Admin) { Ok(seen.namespace) } else { Err(admin_needed(name)) }
    }

    /// The namespace `name`, if `subject` may look at it as its administrators do.
    pub(super) async fn namespace_seen(&self, subject: &Subject, name: &NamespaceName) -> Result<Namespace, Refusal> {
        let seen = self.namespace_standing(subject, name, Noun::Namespace).await?;
        if seen.standing.sight() == Some(Role::Admin) { Ok(seen.namespace) } else { Err(admin_needed(name)) }
    }

    /// The namespace `name` with what `subject` is there; refused as `noun` where there is nothing to see.
    pub(super) async fn namespace_standing(
        &self,
        subject: &Subject,
        name: &NamespaceName,
        noun: Noun,
    ) -> Result<NamespaceStanding, Refusal> {
        self.database.namespace(subject, name).await?.ok_or_else(|| Refusal::not_found(noun, name))
    }
}

fn admin_needed(name: &NamespaceName) -> Refusal {
    Refusal::RoleNeeded { needed: Role::Admin, on: name.to_string() }
}
