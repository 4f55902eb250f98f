//! What `berth reindex` does about deleted repositories that lie in storage and of which the index has no record any more:
//! without one nobody restores them, and no purge ever comes.

use super::{How, Telling, What};
use crate::instance::Instance;
use index_service::{Account, Adoption, Found};
use registry_service::store::PutAway;

impl Instance {
    /// Takes them into the index as deleted at this moment, so that they are restored or purged like any other. Those that
    /// cannot be taken are named, with the folder to remove.
    pub(super) async fn look_for_put_away(
        &self,
        how: &How,
        admin: &Account,
        telling: &mut Telling<'_>,
    ) -> anyhow::Result<()> {
        for away in self.registry.repositories_put_away().await? {
            // Looked at again after the index: a purge takes its record last.
            if self.index.knows_repository(&away.id).await? || !self.registry.is_put_away(&away.id).await? {
                continue;
            }
            let Some(name) = &away.name else {
                telling.tell(&away.id, left(&away, "nothing says which name it had"))?;
                continue;
            };
            let give = how.give.contains(&name.namespace());
            let found = Found { name, id: Some(&away.id), give, is_deleted: true };
            match self.adopt(how, &found, admin).await? {
                Adoption::Known(_) => {}
                Adoption::Adopted(_) => telling.tell(name, What::Deleted)?,
                Adoption::Left(why) => telling.tell(name, left(&away, &why.to_string()))?,
            }
        }
        Ok(())
    }
}

fn left(away: &PutAway, why: &str) -> What {
    let directory = away.directory.display();
    What::Left { reason: format!("deleted, and kept in {directory} until that folder is removed: {why}") }
}
