//! The decision: which role a subject has at one repository name. The rules of rights stand here and nowhere else
//! for one name; lists apply the same rules in SQL, in `store/visibility.rs`.

use super::moves::DeletedRepository;
use super::organisation::MemberRole;
use super::repository::{Repository, Visibility};
use super::role::{InstanceRole, Role};
use shared::Action;
use std::collections::BTreeSet;

/// What the rows say about a subject in one namespace.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// The anonymous client, or an account that exists and is not disabled. Nobody else has any right.
    pub is_good: bool,
    /// What it is for the whole instance.
    pub instance_role: Option<InstanceRole>,
    /// The namespace is this account's own.
    pub owns_namespace: bool,
    /// What it is in the organisation that owns the namespace.
    pub membership: Option<MemberRole>,
    /// Granted on the namespace.
    pub grant: Option<Role>,
}

impl Standing {
    /// The role on the namespace, and so on everything in it.
    pub fn role(&self) -> Option<Role> {
        if !self.may_hold() {
            return None;
        }
        if self.is_admin() || self.owns_namespace {
            return Some(Role::Admin);
        }
        let as_member = self.membership.map(|membership| match membership {
            MemberRole::Owner => Role::Admin,
            MemberRole::Member => Role::Read,
        });
        as_member.max(self.grant)
    }

    /// The role with which the subject looks at what is said about the namespace and everything in it: an auditor's eyes are
    /// an administrator's. Content is pulled by [`Self::role`] alone.
    pub fn sight(&self) -> Option<Role> {
        if self.is_auditor() { Some(Role::Admin) } else { self.role() }
    }

    /// Whether it administers the instance.
    pub fn is_admin(&self) -> bool {
        self.is_good && self.instance_role == Some(InstanceRole::Admin)
    }

    /// Whether it is an auditor of the instance.
    pub fn is_auditor(&self) -> bool {
        self.is_good && self.instance_role == Some(InstanceRole::Auditor)
    }

    /// Whether the subject can hold anything beyond what is everybody's.
    fn may_hold(&self) -> bool {
        self.is_good && self.instance_role != Some(InstanceRole::Auditor)
    }

    /// Whether members, teams and robots of the organisation that owns the namespace are the subject's to see: it belongs
    /// to that, or administers the namespace, and so may grant them something there.
    pub fn is_insider(&self) -> bool {
        self.is_good && (self.membership.is_some() || self.sight() == Some(Role::Admin))
    }

    /// Whether the namespace is the subject's to run: members and all. A grant, however large, does not give that.
    pub fn is_owner(&self) -> bool {
        self.may_hold() && (self.is_admin() || self.owns_namespace || self.membership == Some(MemberRole::Owner))
    }

    /// Whether what only owners see is for the subject's eyes.
    pub fn sees_as_owner(&self) -> bool {
        self.is_owner() || self.is_auditor()
    }
}

/// What lies at a name.
#[derive(Debug, Clone)]
pub enum Occupant {
    /// Nothing, ever or any more.
    Free,
    /// A repository.
    Live(Repository),
    /// A deleted repository, which holds its name until it is purged.
    Deleted(DeletedRepository),
    /// Nothing yet: a repository is about to get the name.
    Promised,
}

/// What one subject meets at one repository name.
#[derive(Debug, Clone)]
pub struct Place {
    /// The subject in the namespace that governs the name.
    pub standing: Standing,
    /// Whether that namespace exists.
    pub namespace_exists: bool,
    /// Whether the whole name is also that of a namespace, so that no repository may take it.
    pub is_namespace: bool,
    /// Granted on the repository itself.
    pub grant: Option<Role>,
    /// What lies there.
    pub occupant: Occupant,
}

impl Place {
    /// The repository with the subject's role on it, if there is one that the subject may see.
    pub fn repository(&self) -> Option<(&Repository, Role)> {
        let Occupant::Live(repository) = &self.occupant else { return None };
        let as_public = (repository.visibility == Visibility::Public && self.standing.is_good).then_some(Role::Read);
        Some((repository, self.held_role().max(as_public)?))
    }

    /// The repository with the role with which the subject looks at what is said about it, if there is one that it may see.
    pub fn seen(&self) -> Option<(&Repository, Role)> {
        let Occupant::Live(repository) = &self.occupant else { return None };
        let role = self.repository().map(|(_, role)| role);
        Some((repository, role.max(self.standing.sight())?))
    }

    /// The deleted repository with the role that the subject holds on it, if one lies here. To be public is over.
    pub fn deleted(&self) -> Option<(&Repository, Role)> {
        let Occupant::Deleted(DeletedRepository { repository, .. }) = &self.occupant else { return None };
        Some((repository, self.held_role()?))
    }

    fn held_role(&self) -> Option<Role> {
        if self.standing.may_hold() { self.standing.role().max(self.grant) } else { None }
    }

    /// Whether nothing lies here and nothing is about to.
    pub fn is_free(&self) -> bool {
        matches!(self.occupant, Occupant::Free)
    }

    /// The role that the subject would have on a repository made here, if it may make one in this namespace.
    pub fn creator_role(&self) -> Option<Role> {
        let role = self.standing.role()?;
        (self.namespace_exists && !self.is_namespace && role >= Role::Write).then_some(role)
    }

    /// The registry actions that the subject holds here: on the repository, or on one it may make by pushing.
    pub fn actions(&self) -> BTreeSet<Action> {
        let role = match self.occupant {
            Occupant::Live(_) => self.repository().map(|(_, role)| role),
            Occupant::Free => self.creator_role(),
            Occupant::Deleted(_) | Occupant::Promised => None,
        };
        role.map(Role::actions).unwrap_or_default()
    }

    /// What of `requested` is granted here; `*` asks for whatever the subject holds.
    pub fn granted(&self, requested: &BTreeSet<Action>) -> BTreeSet<Action> {
        let held = self.actions();
        if requested.contains(&Action::All) { held } else { held.intersection(requested).copied().collect() }
    }

    /// The id of the repository here, if there is one.
    pub fn repository_id(&self) -> Option<&str> {
        match &self.occupant {
            Occupant::Live(repository) => Some(&repository.id),
            Occupant::Free | Occupant::Deleted(_) | Occupant::Promised => None,
        }
    }
}

#[cfg(test)]
mod tests;
