//! The rules of rights for lists, as SQL: which namespaces and repositories a subject may see.
//!
//! They say the same as `model/place.rs` says for one name. The sets of what the subject holds are computed once per
//! statement, so that a long list costs one look-up an entry.

/// Whether the namespace `$namespace`, by id, may be used by the subject of `with_visible` from where it asks.
macro_rules! is_open {
    ($namespace:literal) => {
        concat!(
            "((SELECT sees_all FROM subject) = 1 OR NOT ",
            crate::store::networks::is_closed!($namespace, "$2"),
            ")"
        )
    };
}

pub(super) use is_open;

/// Common table expressions for the subject named `$1` (empty: anonymous) that asks from `$2`: `visible_repositories` and
/// `visible_namespaces`, of what may be used from there. A namespace is visible to who has a role on it or sees a repository
/// in it; private repositories that the subject does not hold are never walked, so that time tells nothing of them.
macro_rules! with_visible {
    ($($statement:tt)+) => {
        concat!(
            "WITH subject AS (
                SELECT id, is_admin + is_auditor AS sees_all FROM accounts WHERE name = $1 AND disabled_at IS NULL
            ),
            held_namespaces AS (
                SELECT n.id FROM subject s JOIN namespaces n ON n.account_id = s.id
                UNION
                SELECT n.id FROM subject s
                JOIN members m ON m.account_id = s.id
                JOIN namespaces n ON n.organisation_id = m.organisation_id
                UNION
                SELECT g.namespace_id FROM subject s JOIN grants g ON g.account_id = s.id
                WHERE g.namespace_id IS NOT NULL
                UNION
                SELECT g.namespace_id FROM subject s JOIN team_members t ON t.account_id = s.id
                JOIN grants g ON g.team_id = t.team_id
                WHERE g.namespace_id IS NOT NULL
            ),
            held_repositories AS (
                SELECT g.repository_id AS id FROM subject s JOIN grants g ON g.account_id = s.id
                WHERE g.repository_id IS NOT NULL
                UNION
                SELECT g.repository_id FROM subject s JOIN team_members t ON t.account_id = s.id
                JOIN grants g ON g.team_id = t.team_id
                WHERE g.repository_id IS NOT NULL
            ),
            visible_repositories AS (
                SELECT r.* FROM repositories r
                WHERE r.deleted_at IS NULL AND ",
            crate::store::visibility::is_open!("r.namespace_id"),
            " AND (
                    (r.visibility = 'public' AND ($1 = '' OR EXISTS (SELECT 1 FROM subject)))
                    OR (SELECT sees_all FROM subject) = 1
                    OR r.namespace_id IN (SELECT id FROM held_namespaces)
                    OR r.id IN (SELECT id FROM held_repositories)
                )
            ),
            visible_namespaces AS (
                SELECT n.* FROM live_namespaces n
                WHERE ",
            crate::store::visibility::is_open!("n.id"),
            " AND (
                    (SELECT sees_all FROM subject) = 1
                    OR n.id IN (SELECT id FROM held_namespaces)
                    OR (($1 = '' OR EXISTS (SELECT 1 FROM subject)) AND EXISTS (
                        SELECT 1 FROM repositories p
                        WHERE p.namespace_id = n.id AND p.visibility = 'public' AND p.deleted_at IS NULL
                    ))
                    OR n.id IN (
                        SELECT r.namespace_id FROM repositories r
                        WHERE r.deleted_at IS NULL AND r.id IN (SELECT id FROM held_repositories)
                    )
                )
            )
            ",
            $($statement)+
        )
    };
}

pub(super) use with_visible;

/// The pattern of a LIKE … ESCAPE '\' that finds `text` anywhere, whatever signs it has.
pub(super) fn containing(text: &str) -> String {
    format!("%{}%", escaped(text))
}

/// The same, at the beginning.
pub(super) fn beginning_with(text: &str) -> String {
    format!("{}%", escaped(text))
}

/// `text` as SQL's `lower` makes it, which in SQLite knows only the letters of ASCII.
pub(super) fn folded(text: &str) -> String {
    text.to_ascii_lowercase()
}

fn escaped(text: &str) -> String {
    folded(text).replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_letters_like_others() {
        assert_eq!(containing(r"A_b%\"), r"%a\_b\%\\%");
        assert_eq!(beginning_with("Äcme"), "Äcme%");
    }
}
