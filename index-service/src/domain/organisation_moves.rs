//! Renaming an organisation: its namespace and everything in it get the new name at once in the index, and each repository
//! follows in storage by a wish of its own.
//!
//! Until then a repository answers under its old name, to those who hold something on it. Its wish stands until a registry
//! has carried it out, like every other.

use super::error::{Noun, Refusal};
use super::moves::{AT_ONCE, Mover, Progress};
use crate::model::names::new_namespace;
use crate::model::{Account, Organisation};
use crate::store::OrganisationRenamed;
use jiff::Timestamp;
use shared::NamespaceName;

impl Mover {
    /// Gives the organisation `name` another one, and tells how far its repositories are. The old name is nobody's from then
    /// on; only the organisation itself may take it again.
    pub async fn rename_organisation(
        &self,
        caller: &Account,
        name: &NamespaceName,
        to: &str,
        now: Timestamp,
    ) -> Result<(Organisation, Progress), Refusal> {
        let index = self.index();
        index.require_owner(caller, name).await?;
        let to = new_namespace(to)?;
        let wishes = match index.database.rename_organisation(name, &to, caller.name.as_str(), now).await? {
            OrganisationRenamed::Renamed(wishes) => wishes,
            OrganisationRenamed::Unknown => return Err(Refusal::not_found(Noun::Organisation, name)),
            OrganisationRenamed::NameTaken => return Err(Refusal::NameUnavailable),
            OrganisationRenamed::Moving(repository) => return Err(Refusal::Moving(repository)),
            OrganisationRenamed::TooLong(repository) => {
                return Err(Refusal::invalid(format!("with it, repository {repository} would have too long a name")));
            }
        };
        let mut done = 0;
        // Nobody waits for more than that to be moved: the rest follows in the background.
        for wish in wishes.iter().take(AT_ONCE as usize) {
            if self.carry_out(wish.clone(), now).await? == Progress::Waiting {
                break;
            }
            done += 1;
        }
        let progress = if done == wishes.len() { Progress::Done } else { Progress::Waiting };
        Ok((index.organisation(&caller.subject(), &to).await?, progress))
    }
}
