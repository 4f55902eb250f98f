//! The four roles and the actions each of them holds.

use super::word::words;
use shared::Action;
use std::collections::BTreeSet;

words! {
    /// What a subject may do on a namespace or a repository; a larger one includes the smaller ones.
    Role {
        /// Pull.
        Read = "read",
        /// And push.
        Write = "write",
        /// And delete tags and manifests, edit the description.
        Maintain = "maintain",
        /// And give grants, change the visibility, delete the repository.
        Admin = "admin",
    }
}

/// What an account is for the whole instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceRole {
    /// Holds everything everywhere.
    Admin,
    /// Sees everything that is said about the instance, and holds nothing: what it owns, is or was granted does not count.
    Auditor,
}

impl Role {
    /// The registry actions of this role.
    pub fn actions(self) -> BTreeSet<Action> {
        let all = [(Self::Read, Action::Pull), (Self::Write, Action::Push), (Self::Maintain, Action::Delete)];
        all.into_iter().filter(|(least, _)| *least <= self).map(|(_, action)| action).collect()
    }

    /// The least role that holds `action`; `Admin` for what no role holds by itself.
    pub fn least_for(action: Action) -> Self {
        match action {
            Action::Pull | Action::Search => Self::Read,
            Action::Push => Self::Write,
            Action::Delete => Self::Maintain,
            Action::All => Self::Admin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_role_holds_what_the_smaller_one_does() {
        let roles = [Role::Read, Role::Write, Role::Maintain, Role::Admin];
        for (smaller, larger) in roles.into_iter().zip(roles.into_iter().skip(1)) {
            assert!(smaller < larger);
            assert!(smaller.actions().is_subset(&larger.actions()));
        }
    }

    #[test]
    fn a_role_holds_exactly_the_actions_it_is_the_least_for_and_below() {
        for role in [Role::Read, Role::Write, Role::Maintain, Role::Admin] {
            for action in [Action::Pull, Action::Push, Action::Delete] {
                assert_eq!(role.actions().contains(&action), Role::least_for(action) <= role, "{role} {action:?}");
            }
        }
    }

    #[test]
    fn roles_are_read_as_they_are_written() {
        for role in [Role::Read, Role::Write, Role::Maintain, Role::Admin] {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }
}
