//! Who from outside was granted something in a namespace.

use super::Index;
use super::error::Refusal;
use crate::model::collaborator::Collaborator;
use crate::model::{Account, Page, Paged};
use shared::NamespaceName;

impl Index {
    /// A page of what people from outside hold in the namespace `name`, for its administrators.
    pub async fn collaborators(
        &self,
        caller: &Account,
        name: &NamespaceName,
        page: &Page,
    ) -> Result<Paged<Collaborator>, Refusal> {
        let namespace = self.namespace_seen(&caller.subject(), name).await?;
        Ok(self.database.collaborators(&namespace.id, page).await?)
    }
}
