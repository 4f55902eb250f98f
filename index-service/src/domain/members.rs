//! Members of organisations: owners let people in and out, anybody may leave.

use super::Index;
use super::error::{Noun, Refusal};
use crate::model::{Account, Member, MemberRole, Page, Paged};
use crate::store::MemberChanged;
use jiff::Timestamp;
use shared::NamespaceName;

impl Index {
    /// A page of the members of `organisation`, for insiders.
    pub async fn members(
        &self,
        caller: &Account,
        organisation: &NamespaceName,
        page: &Page,
    ) -> Result<Paged<Member>, Refusal> {
        self.require_insider(caller, organisation).await?;
        Ok(self.database.members(organisation, page).await?)
    }

    /// Whether `caller` belongs to `organisation` or administers its namespace, and so may see its teams and robots.
    pub(super) async fn is_insider(&self, caller: &Account, organisation: &NamespaceName) -> Result<bool, Refusal> {
        match self.require_insider(caller, organisation).await {
            Ok(()) => Ok(true),
            Err(Refusal::NotFound(..) | Refusal::MemberNeeded(_)) => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    /// Refuses whoever neither belongs to `organisation` nor administers its namespace.
    pub(super) async fn require_insider(&self, caller: &Account, organisation: &NamespaceName) -> Result<(), Refusal> {
        let standing = self.organisation_standing(&caller.subject(), organisation).await?;
        if standing.is_insider() { Ok(()) } else { Err(Refusal::MemberNeeded(organisation.to_string())) }
    }

    /// Makes `account` a member, or changes what it is.
    pub async fn put_member(
        &self,
        caller: &Account,
        organisation: &NamespaceName,
        account: &NamespaceName,
        role: MemberRole,
        now: Timestamp,
    ) -> Result<Member, Refusal> {
        self.require_owner(caller, organisation).await?;
        match self.database.put_member(organisation, account, role, now).await? {
            MemberChanged::Changed(member) => Ok(member),
            MemberChanged::Unknown => Err(Refusal::not_found(Noun::User, account)),
            MemberChanged::LastOwner => Err(Refusal::LastOwner),
        }
    }

    /// Ends the membership of `account`.
    pub async fn delete_member(
        &self,
        caller: &Account,
        organisation: &NamespaceName,
        account: &NamespaceName,
    ) -> Result<(), Refusal> {
        let leaves = caller.name == *account;
        if leaves {
            self.organisation_standing(&caller.subject(), organisation).await?;
        } else {
            self.require_owner(caller, organisation).await?;
        }
        match self.database.delete_member(organisation, account).await? {
            MemberChanged::Changed(()) => Ok(()),
            MemberChanged::Unknown => Err(Refusal::not_found(Noun::Member, account)),
            MemberChanged::LastOwner => Err(Refusal::LastOwner),
        }
    }
}
