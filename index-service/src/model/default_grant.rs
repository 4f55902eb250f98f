//! Default grants: what a namespace gives on each repository that is made in it.

use super::grant::GrantSubject;
use super::role::Role;

/// A namespace has at most so many.
pub const MAX_DEFAULT_GRANTS: usize = 50;

/// A role that is granted on every new repository of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultGrant {
    /// To whom.
    pub subject: GrantSubject,
    /// How much.
    pub role: Role,
}

/// Why a list cannot be a namespace's default grants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefaultGrantsError {
    /// Too many.
    #[error("a namespace has at most 50 default grants; give one to a team in place of its members")]
    TooMany,
    /// One subject has two.
    #[error("{0} stands there twice: each subject has one default grant")]
    Twice(GrantSubject),
}

/// Refuses a list that is too long, or names a subject twice.
pub fn check(grants: &[DefaultGrant]) -> Result<(), DefaultGrantsError> {
    if grants.len() > MAX_DEFAULT_GRANTS {
        return Err(DefaultGrantsError::TooMany);
    }
    let mut later = grants.iter();
    while let Some(grant) = later.next() {
        if later.clone().any(|other| other.subject == grant.subject) {
            return Err(DefaultGrantsError::Twice(grant.subject.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_subject_stands_there_once() {
        let grant = |subject: &str| DefaultGrant { subject: subject.parse().unwrap(), role: Role::Read };
        let (bob, dev) = (grant("user:bob"), grant("team:acme/dev"));
        assert_eq!(check(&[bob.clone(), dev.clone()]), Ok(()));
        let twice = DefaultGrantsError::Twice(bob.subject.clone());
        assert_eq!(check(&[bob.clone(), dev, DefaultGrant { role: Role::Admin, ..bob }]), Err(twice));
        let many: Vec<_> = (0..=MAX_DEFAULT_GRANTS).map(|number| grant(&format!("user:u{number}"))).collect();
        assert_eq!(check(&many), Err(DefaultGrantsError::TooMany));
        assert_eq!(check(&many[1..]), Ok(()));
    }
}
