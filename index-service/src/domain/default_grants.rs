//! Default grants of namespaces: whoever administers one decides what is granted on each repository made in it from then
//! on. What exists already keeps the grants that it has.

use super::Index;
use super::error::Refusal;
use super::grants::unknown;
use crate::model::Account;
use crate::model::default_grant::{DefaultGrant, check};
use shared::NamespaceName;

impl Index {
    /// The default grants of the namespace `name`, for its administrators.
    pub async fn default_grants(&self, caller: &Account, name: &NamespaceName) -> Result<Vec<DefaultGrant>, Refusal> {
        let namespace = self.namespace_seen(&caller.subject(), name).await?;
        Ok(self.database.default_grants(&namespace.id).await?)
    }

    /// Puts `grants` in place of those that the namespace `name` had.
    pub async fn put_default_grants(
        &self,
        caller: &Account,
        name: &NamespaceName,
        grants: &[DefaultGrant],
    ) -> Result<Vec<DefaultGrant>, Refusal> {
        let namespace = self.namespace_administered(&caller.subject(), name).await?;
        check(grants).map_err(|error| Refusal::invalid_at("/grants", error))?;
        for grant in grants {
            if !self.may_name(caller, &grant.subject).await? {
                return Err(Refusal::invalid_at("/grants", unknown(&grant.subject)));
            }
        }
        match self.database.put_default_grants(&namespace.id, grants, caller.name.as_str()).await? {
            None => Ok(self.database.default_grants(&namespace.id).await?),
            Some(subject) => Err(Refusal::invalid_at("/grants", unknown(&subject))),
        }
    }
}
