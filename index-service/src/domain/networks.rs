//! From where a namespace may be used: its administrators say so, and elsewhere it is as if it were not there.

use super::Index;
use super::error::Refusal;
use crate::model::{Account, Fault, Origin};
use shared::{NamespaceName, Networks};

/// Ranges of one namespace or one secret at most.
const MAX_NETWORKS: usize = 100;

/// Where they stand in a body.
const PLACE: &str = "/allowed_networks";

impl Index {
    /// The ranges of addresses from which the namespace `name` may be used, for its administrators.
    pub async fn namespace_networks(&self, caller: &Account, name: &NamespaceName) -> Result<Networks, Refusal> {
        self.namespace_seen(&caller.subject(), name).await?;
        Ok(self.database.namespace_networks(name).await?)
    }

    /// Says from where the namespace `name` may be used; from everywhere where no range is named. Nobody shuts themselves
    /// out, and an administrator of the instance is nowhere shut out.
    pub async fn put_namespace_networks(
        &self,
        caller: &Account,
        name: &NamespaceName,
        networks: &Networks,
    ) -> Result<(), Refusal> {
        let namespace = self.namespace_administered(&caller.subject(), name).await?;
        check_networks(networks)?;
        if let Origin::Client(from) = caller.origin
            && !caller.is_admin
            && !networks.admit(from)
        {
            let own = from.map_or_else(|| "unknown".to_owned(), |from| from.to_string());
            let detail = format!("your own address is {own}: name a range with it, or you shut yourself out");
            return Err(Fault::at(PLACE, "shuts_out", detail).into());
        }
        Ok(self.database.put_namespace_networks(name, &namespace.id, networks).await?)
    }
}

/// Refuses more ranges than are looked through at each use.
pub(super) fn check_networks(networks: &Networks) -> Result<(), Fault> {
    if networks.ranges().len() > MAX_NETWORKS {
        return Err(Fault::at(PLACE, "too_many", "allowed_networks has at most 100 ranges"));
    }
    Ok(())
}
