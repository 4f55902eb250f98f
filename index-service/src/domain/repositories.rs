//! Repositories: made by hand or by a first push, and changed. How they go is in `moves.rs`.

use super::Index;
use super::error::{Noun, Refusal};
use super::search::check_text;
use crate::model::line::REPOSITORY_DESCRIPTION;
use crate::model::repository::{RepositoryChange, RepositoryFilter};
use crate::model::{Account, Occupant, Page, Paged, Place, Repository, Role, Subject, Visibility};
use crate::store::{Claim, NewRepository};
use jiff::Timestamp;
use shared::RepositoryName;

impl Index {
    /// A page of the repositories that `subject` may see.
    pub async fn repositories(
        &self,
        subject: &Subject,
        filter: &RepositoryFilter,
        page: &Page,
    ) -> Result<Paged<Repository>, Refusal> {
        filter.text.as_deref().map_or(Ok(()), check_text)?;
        Ok(self.database.repositories(subject, filter, page).await?)
    }

    /// The repository `name`, if `subject` may look at it as whoever has the role `needed` does.
    pub async fn repository_seen(
        &self,
        subject: &Subject,
        name: &RepositoryName,
        needed: Role,
    ) -> Result<Repository, Refusal> {
        let place = self.database.place(subject, name).await?;
        enough(place.seen(), name, needed)
    }

    /// The repository `name`, if `subject` has the role `needed` on it.
    pub(super) async fn repository_with(
        &self,
        subject: &Subject,
        name: &RepositoryName,
        needed: Role,
    ) -> Result<Repository, Refusal> {
        let place = self.database.place(subject, name).await?;
        enough(place.repository(), name, needed)
    }

    /// Makes the repository `name`, or changes it if it is there; tells whether it was made.
    pub async fn put_repository(
        &self,
        caller: &Account,
        name: &RepositoryName,
        wanted: RepositoryChange,
        now: Timestamp,
    ) -> Result<(Repository, bool), Refusal> {
        check_change(&wanted)?;
        let subject = caller.subject();
        let mut place = self.database.place(&subject, name).await?;
        let mut made = false;
        if place.is_free() {
            let role = place.creator_role().ok_or(Refusal::NameUnavailable)?;
            if wanted.visibility == Some(Visibility::Public) && role < Role::Admin {
                return Err(Refusal::RoleNeeded { needed: Role::Admin, on: name.namespace().to_string() });
            }
            (place, made) = self.make_repository(&subject, name, &wanted, now).await?;
        }
        match (made, place.repository()) {
            (true, Some((repository, _))) => Ok((repository.clone(), true)),
            (false, Some((_, Role::Admin))) => Ok((self.change_repository(caller, name, wanted, now).await?, false)),
            (false, Some(_)) => Err(Refusal::RoleNeeded { needed: Role::Admin, on: name.to_string() }),
            (_, None) => Err(why_not(&place, name)),
        }
    }

    /// Changes what is said about the repository `name`, and who may read it.
    pub async fn change_repository(
        &self,
        caller: &Account,
        name: &RepositoryName,
        change: RepositoryChange,
        now: Timestamp,
    ) -> Result<Repository, Refusal> {
        check_change(&change)?;
        let needed = if change.visibility.is_some() { Role::Admin } else { Role::Maintain };
        let repository = self.repository_with(&caller.subject(), name, needed).await?;
        if change.official.is_some() && !caller.is_admin {
            return Err(Refusal::AdminNeeded);
        }
        if change == RepositoryChange::default() {
            return Ok(repository);
        }
        let changed = self.database.change_repository(&repository.id, &change, now).await?;
        changed.ok_or_else(|| Refusal::not_found(Noun::Repository, name))
    }

    /// Makes the repository unless somebody was faster; tells what is there now and whether this call made it.
    pub(super) async fn make_repository(
        &self,
        subject: &Subject,
        name: &RepositoryName,
        wanted: &RepositoryChange,
        now: Timestamp,
    ) -> Result<(Place, bool), Refusal> {
        let new = NewRepository {
            name,
            visibility: wanted.visibility,
            description: wanted.description.as_deref().unwrap_or_default(),
            created_by: subject.as_str(),
        };
        let claim = self.database.create_repository(&new, now).await?;
        Ok((self.database.place(subject, name).await?, claim == Claim::Made))
    }
}

/// The repository that was found with a role, if that is enough.
fn enough(found: Option<(&Repository, Role)>, name: &RepositoryName, needed: Role) -> Result<Repository, Refusal> {
    let (repository, role) = found.ok_or_else(|| Refusal::not_found(Noun::Repository, name))?;
    if role < needed {
        return Err(Refusal::RoleNeeded { needed, on: name.to_string() });
    }
    Ok(repository.clone())
}

/// Why the subject cannot have a repository at `place`: who may make one in the namespace hears of a held name.
pub(super) fn why_not(place: &Place, name: &RepositoryName) -> Refusal {
    match &place.occupant {
        Occupant::Deleted(deleted) if place.creator_role().is_some() => {
            Refusal::NameHeld { name: name.clone(), until: deleted.purge_at() }
        }
        _ => Refusal::NameUnavailable,
    }
}

fn check_change(change: &RepositoryChange) -> Result<(), Refusal> {
    let description = change.description.as_deref().unwrap_or_default();
    Ok(REPOSITORY_DESCRIPTION.check(description)?)
}
