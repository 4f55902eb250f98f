//! Namespaces, as far as one may see them.

use super::Index;
use super::error::{Noun, Refusal};
use crate::model::{Namespace, Page, Paged, Subject};
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
