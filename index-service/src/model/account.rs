//! Accounts, and the subject of a decision: an account by name, or nobody in particular.

use super::origin::Origin;
use super::robot::Robot;
use super::word::words;
use jiff::Timestamp;
use shared::NamespaceName;

words! {
    /// In which order accounts are listed.
    AccountSort {
        /// By name.
        Name = "name",
        /// By name, from the end.
        NameDescending = "-name",
        /// The oldest first.
        CreatedAt = "created_at",
        /// The newest first.
        CreatedAtDescending = "-created_at",
    }
}

/// Which accounts are listed; `None` for any.
#[derive(Debug, Clone, Default)]
pub struct AccountFilter {
    /// Whether they may do nothing at all.
    pub disabled: Option<bool>,
    /// What stands in the name.
    pub text: Option<String>,
}

/// A person who signs in. Its password's hash is not part of it, so that no caller can show it by mistake.
#[derive(Debug, Clone)]
pub struct Account {
    /// Never used again for another.
    pub id: String,
    /// Also the name of its namespace.
    pub name: NamespaceName,
    /// Whether it administers the whole instance.
    pub is_admin: bool,
    /// Whether it sees the whole instance, and changes nothing but itself.
    pub is_auditor: bool,
    /// Since when it may do nothing at all.
    pub disabled_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Where it asks from, of one that has signed in.
    pub origin: Origin,
}

impl Account {
    /// The account as the subject of a decision.
    pub fn subject(&self) -> Subject {
        Subject::named(self.name.as_str()).at(self.origin)
    }
}

/// Who has an access token.
#[derive(Debug, Clone)]
pub enum Owner {
    /// A person.
    Person(Account),
    /// A robot.
    Robot(Robot),
}

impl Owner {
    /// The owner as the subject of a decision.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Person(account) => account.subject(),
            Self::Robot(robot) => Subject::named(robot.name.to_string()),
        }
    }

    /// Since when it may do nothing at all.
    pub fn disabled_at(&self) -> Option<Timestamp> {
        match self {
            Self::Person(account) => account.disabled_at,
            Self::Robot(robot) => robot.disabled_at,
        }
    }
}

/// What may be changed about an account; `None` leaves it.
#[derive(Debug, Clone, Copy, Default)]
pub struct AccountChange {
    /// Whether it administers the instance.
    pub is_admin: Option<bool>,
    /// Whether it sees the whole instance, and changes nothing but itself.
    pub is_auditor: Option<bool>,
    /// Whether it may do nothing at all.
    pub disabled: Option<bool>,
}

/// Whose rights are asked for, and from where: the `sub` of a token. Whether such an account exists is for the rows to say.
#[derive(Debug, Clone)]
pub struct Subject {
    name: String,
    origin: Origin,
}

impl Subject {
    /// A client without credentials.
    pub fn anonymous() -> Self {
        Self::named("")
    }

    /// The account of this name; an empty name is the anonymous client.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), origin: Origin::Anywhere }
    }

    /// The same, asking from there.
    pub fn at(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// Where it asks from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The account's name; empty for the anonymous client.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Whether nobody signed in.
    pub fn is_anonymous(&self) -> bool {
        self.name.is_empty()
    }
}
