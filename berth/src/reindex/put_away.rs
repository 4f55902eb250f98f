//! What `berth reindex` does about deleted repositories that lie in storage and of which the index has no record any more:
//! without one nobody restores them, and no purge ever comes.

use super::{How, Telling, What};
use crate::instance::Instance;
use index_service::{Account, Adoption, Found, WhyLeft};
use registry_service::store::PutAway;

impl Instance {
    /// Takes them into the index as deleted at this moment, so that they are restored or purged like any other. Of several
    /// that had one name the latest gets it. Those that cannot be taken are named, with the folder where they lie.
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
                telling.tell(&away.id, left(&away, "nothing says which name it had; remove that folder by hand"))?;
                continue;
            };
            let give = how.give.contains(&name.namespace());
            let found = Found { name, id: Some(&away.id), give, is_deleted: true };
            let adoption = if telling.taken.contains(name) {
                Adoption::Left(WhyLeft::NameTaken)
            } else {
                self.adopt(how, &found, admin).await?
            };
            match adoption {
                Adoption::Known(_) => {}
                Adoption::Adopted(_) => {
                    telling.taken.insert(name.clone());
                    telling.tell(name, What::Deleted)?;
                }
                Adoption::Left(why) => telling.tell(name, left(&away, &what_to_do(&why)))?,
            }
        }
        Ok(())
    }
}

fn left(away: &PutAway, why: &str) -> What {
    What::Left { reason: format!("deleted, and kept in {}: {why}", away.directory.display()) }
}

fn what_to_do(why: &WhyLeft) -> String {
    const OR_REMOVE: &str = "or remove that folder by hand if nobody needs it";
    match why {
        WhyLeft::NotOurs(namespace) => {
            format!("namespace {namespace} belongs to somebody else; --give {namespace} lets its owner restore it")
        }
        WhyLeft::NameTaken => {
            format!("its name belongs to a later repository; reindex again when that is renamed or purged, {OR_REMOVE}")
        }
        WhyLeft::OtherName(name) => format!("the index knows it as {name} by now; reindex again"),
        WhyLeft::NoNamespace(namespace) => format!(
            "there can be no namespace {namespace}: the name is reserved or held, or a repository has it; reindex again \
             when there can, {OR_REMOVE}"
        ),
        WhyLeft::IsNamespace => {
            format!("a namespace has its name; reindex again when none has it any more, {OR_REMOVE}")
        }
    }
}
