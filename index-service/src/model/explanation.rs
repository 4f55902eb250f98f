//! Why a subject holds what it holds on a repository: every source of its role, the largest first.

use super::grant::{GrantSubject, GrantedOn};
use super::organisation::MemberRole;
use super::place::{Occupant, Place};
use super::repository::Visibility;
use super::role::Role;

/// Where a role comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// It administers the instance.
    InstanceAdmin,
    /// The namespace is its own.
    OwnNamespace,
    /// It owns the organisation of the namespace.
    OrganisationOwner,
    /// It is a member of the organisation of the namespace.
    OrganisationMember,
    /// It was granted: to itself, or to a team that it is in.
    Grant {
        /// To whom.
        holder: GrantSubject,
        /// On what.
        on: GrantedOn,
    },
    /// Anybody may read the repository.
    Public,
}

/// A source, and the role that it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// From where.
    pub source: Source,
    /// How much.
    pub role: Role,
}

/// A subject's role on a repository, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The role; `None` if it holds nothing.
    pub role: Option<Role>,
    /// What gives a role, the largest first: the first gives the role that counts.
    pub reasons: Vec<Reason>,
    /// It is an auditor of the instance, so what it owns, is or was granted gives nothing.
    pub is_auditor: bool,
}

impl Explanation {
    /// What nobody holds, and whoever is disabled.
    pub fn nothing() -> Self {
        Self { role: None, reasons: Vec::new(), is_auditor: false }
    }

    /// What the subject of `place` holds there; `granted` are the grants to it and to its teams that apply there.
    pub fn new(place: &Place, granted: Vec<Reason>) -> Self {
        let standing = &place.standing;
        if !standing.is_good {
            return Self::nothing();
        }
        let own = [
            (standing.is_admin(), Source::InstanceAdmin, Role::Admin),
            (standing.owns_namespace, Source::OwnNamespace, Role::Admin),
            (standing.membership == Some(MemberRole::Owner), Source::OrganisationOwner, Role::Admin),
            (standing.membership == Some(MemberRole::Member), Source::OrganisationMember, Role::Read),
        ];
        let own = own.into_iter().filter(|(holds, ..)| *holds).map(|(_, source, role)| Reason { source, role });
        let mut reasons: Vec<Reason> = if standing.is_auditor() { Vec::new() } else { own.chain(granted).collect() };
        if let Occupant::Live(repository) = &place.occupant
            && repository.visibility == Visibility::Public
        {
            reasons.push(Reason { source: Source::Public, role: Role::Read });
        }
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.role));
        // The decision itself; the reasons only tell where it comes from.
        Self { role: place.repository().map(|(_, role)| role), reasons, is_auditor: standing.is_auditor() }
    }
}
