//! Organisations: anybody with an account makes one, owners run it.

use super::Index;
use super::error::{Noun, Refusal};
use super::search::check_text;
use crate::model::line::DISPLAY_NAME;
use crate::model::names::new_namespace;
use crate::model::{Account, NamespaceKind, Organisation, Page, Paged, Standing, Subject};
use crate::store::{Claim, OrganisationDeleted};
use jiff::Timestamp;
use shared::NamespaceName;

impl Index {
    /// A page of the organisations that `subject` may see, perhaps only those with `text` in a name.
    pub async fn organisations(
        &self,
        subject: &Subject,
        text: Option<&str>,
        page: &Page,
    ) -> Result<Paged<Organisation>, Refusal> {
        text.map_or(Ok(()), check_text)?;
        Ok(self.database.organisations(subject, text, page).await?)
    }

    /// The organisation `name`.
    pub async fn organisation(&self, subject: &Subject, name: &NamespaceName) -> Result<Organisation, Refusal> {
        self.organisation_standing(subject, name).await?;
        self.database.organisation(name).await?.ok_or_else(|| Refusal::not_found(Noun::Organisation, name))
    }

    /// Makes an organisation that `owner` owns.
    pub async fn create_organisation(
        &self,
        owner: &Account,
        name: &str,
        display_name: Option<String>,
        now: Timestamp,
    ) -> Result<Organisation, Refusal> {
        let name = new_namespace(name)?;
        let display_name = display_name.unwrap_or_else(|| name.to_string());
        DISPLAY_NAME.check(&display_name)?;
        let organisation = Organisation { name, display_name, created_at: now };
        match self.database.create_organisation(&organisation, &owner.id).await? {
            Claim::Made => Ok(organisation),
            Claim::Taken => Err(Refusal::NameUnavailable),
        }
    }

    /// Changes what people call it.
    pub async fn set_display_name(
        &self,
        caller: &Account,
        name: &NamespaceName,
        display_name: String,
    ) -> Result<Organisation, Refusal> {
        self.require_owner(caller, name).await?;
        DISPLAY_NAME.check(&display_name)?;
        let changed = self.database.set_display_name(name, &display_name).await?;
        changed.ok_or_else(|| Refusal::not_found(Noun::Organisation, name))
    }

    /// Deletes an organisation without repositories.
    pub async fn delete_organisation(
        &self,
        caller: &Account,
        name: &NamespaceName,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.require_owner(caller, name).await?;
        match self.database.delete_organisation(name, now).await? {
            OrganisationDeleted::Deleted => Ok(()),
            OrganisationDeleted::Unknown => Err(Refusal::not_found(Noun::Organisation, name)),
            OrganisationDeleted::HasRepositories => Err(Refusal::HasRepositories(name.to_string())),
        }
    }

    /// What `subject` is in the organisation `name`, which it must be able to see.
    pub(super) async fn organisation_standing(
        &self,
        subject: &Subject,
        name: &NamespaceName,
    ) -> Result<Standing, Refusal> {
        let seen = self.namespace_standing(subject, name, Noun::Organisation).await?;
        match seen.namespace.kind {
            NamespaceKind::Organisation => Ok(seen.standing),
            NamespaceKind::Account | NamespaceKind::BuiltIn => Err(Refusal::not_found(Noun::Organisation, name)),
        }
    }

    /// Refuses whoever may not look at what only owners of the organisation `name` see.
    pub(super) async fn require_sight_of_owner(&self, caller: &Account, name: &NamespaceName) -> Result<(), Refusal> {
        let standing = self.organisation_standing(&caller.subject(), name).await?;
        if standing.sees_as_owner() { Ok(()) } else { Err(Refusal::OwnerNeeded(name.to_string())) }
    }

    /// Refuses whoever does not run the organisation `name`.
    pub(super) async fn require_owner(&self, caller: &Account, name: &NamespaceName) -> Result<(), Refusal> {
        let standing = self.organisation_standing(&caller.subject(), name).await?;
        if standing.is_owner() { Ok(()) } else { Err(Refusal::OwnerNeeded(name.to_string())) }
    }
}
