//! What may be wished of a repository's place in storage, and when.

use super::repository::Repository;
use super::word::words;
use jiff::{SignedDuration, Timestamp};
use shared::moves::Move;

/// A deleted repository can be restored for so long, and its name is held.
pub const HELD_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

words! {
    /// A wish, without its particulars.
    Wish {
        /// Deleted, and not purged.
        PutAway = "put_away",
        /// Back under its name.
        Restore = "restore",
        /// Gone for good.
        Purge = "purge",
        /// Under another name.
        Rename = "rename",
    }
}

impl From<&Move> for Wish {
    fn from(verb: &Move) -> Self {
        match verb {
            Move::PutAway => Self::PutAway,
            Move::Restore => Self::Restore,
            Move::Purge => Self::Purge,
            Move::Rename { .. } => Self::Rename,
        }
    }
}

impl Wish {
    /// Whether it may be wished of a repository that is deleted or not, while this other wish is not done yet. A purge
    /// may have been carried out, so nothing else follows it; neither does anything follow a rename, which may not.
    pub fn may_follow(self, is_deleted: bool, pending: Option<Self>) -> bool {
        match self {
            Self::PutAway | Self::Rename => !is_deleted && pending.is_none(),
            Self::Restore => is_deleted && pending != Some(Self::Purge),
            Self::Purge => is_deleted,
        }
    }
}

/// A repository that can be restored.
#[derive(Debug, Clone)]
pub struct DeletedRepository {
    /// As it was.
    pub repository: Repository,
    /// Since when.
    pub deleted_at: Timestamp,
}

impl DeletedRepository {
    /// When it goes for good.
    pub fn purge_at(&self) -> Timestamp {
        self.deleted_at.checked_add(HELD_FOR).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_follow_each_other_only_where_the_last_one_is_known() {
        use Wish::{Purge, PutAway, Rename, Restore};
        for (wish, is_deleted, pending, may) in [
            (PutAway, false, None, true),
            (PutAway, true, None, false),
            (PutAway, false, Some(Rename), false),
            (Rename, false, None, true),
            (Rename, false, Some(Rename), false),
            (Restore, false, None, false),
            (Restore, true, None, true),
            (Restore, true, Some(PutAway), true),
            (Restore, true, Some(Restore), true),
            (Restore, true, Some(Purge), false),
            (Purge, false, None, false),
            (Purge, true, Some(PutAway), true),
            (Purge, true, Some(Purge), true),
        ] {
            assert_eq!(wish.may_follow(is_deleted, pending), may, "{wish} {is_deleted} {pending:?}");
        }
    }
}
