//! Lists: from one piece of SQL come the statement of a page and that of the count, and both are run here.
//!
//! Every list is ordered by one unique text, its key, and a page begins after the last key of the one before.

use super::database::Database;
use super::error::StoreError;
use super::rows::unsigned;
use crate::model::{Page, Paged};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

/// A list's two statements. Their arguments are texts; those of a page have two more at their end.
pub(super) struct ListSql {
    pub page: &'static str,
    pub count: &'static str,
}

/// `list!(common table expressions, columns, tables with a WHERE, key, " > $n", order, " LIMIT $m")`: an order that is not
/// empty is `" DESC"`, and its pages go on with what is smaller.
macro_rules! list {
    ($with:expr, $columns:expr, $rows:expr, $key:expr, $beyond:expr, $order:expr, $limit:expr) => {
        $crate::store::lists::ListSql {
            page: concat!(
                $with,
                "SELECT ",
                $columns,
                ", ",
                $key,
                " AS list_key FROM ",
                $rows,
                " AND ",
                $key,
                $beyond,
                " ORDER BY ",
                $key,
                $order,
                $limit
            ),
            count: concat!($with, "SELECT count(*) AS total FROM ", $rows),
        }
    };
}

/// The key of what is ordered by a time: as many digits whenever that was, because `$digits`, a number and a sign, stand before
/// it; and the name, which makes it unique.
macro_rules! by_time {
    ($digits:literal, $time:literal, $name:literal) => {
        concat!("CAST(", $digits, $time, " AS TEXT) || ' ' || ", $name)
    };
}

/// The list that the macro `$list` makes of a key, the sign before what its pages go on from, and an order: as `$sorting`
/// wants it. Where name and time go opposite ways, the time is counted back from far beyond it.
macro_rules! sorted {
    ($list:ident, $sorting:expr, $time:literal, $name:literal) => {{
        use $crate::model::Direction::{Down, Up};
        match $sorting.map(|sorting| (sorting.time, sorting.name)) {
            None | Some((None, Up)) => const { $list!($name, " > ", "") },
            Some((None, Down)) => const { $list!($name, " < ", " DESC") },
            Some((Some(Up), Up)) => {
                const { $list!($crate::store::lists::by_time!("1000000000000000000 + ", $time, $name), " > ", "") }
            }
            Some((Some(Down), Down)) => {
                const { $list!($crate::store::lists::by_time!("1000000000000000000 + ", $time, $name), " < ", " DESC") }
            }
            Some((Some(Down), Up)) => {
                const { $list!($crate::store::lists::by_time!("3000000000000000000 - ", $time, $name), " > ", "") }
            }
            Some((Some(Up), Down)) => {
                const { $list!($crate::store::lists::by_time!("3000000000000000000 - ", $time, $name), " < ", " DESC") }
            }
        }
    }};
}

pub(super) use {by_time, list, sorted};

impl Database {
    /// A page of a list, with the length of the whole if that was asked for: both of one moment.
    pub(super) async fn page<T>(
        &self,
        list: &ListSql,
        arguments: &[Option<&str>],
        page: &Page,
    ) -> Result<Paged<T>, StoreError>
    where
        T: for<'r> FromRow<'r, SqliteRow>,
    {
        let mut transaction = self.read().await?;
        let mut total = None;
        if page.is_counted() {
            let count = arguments.iter().fold(sqlx::query(list.count), |query, argument| query.bind(*argument));
            total = Some(unsigned(&count.fetch_one(&mut *transaction).await?, "total")?);
        }
        let rows = arguments.iter().fold(sqlx::query(list.page), |query, argument| query.bind(*argument));
        let rows = rows.bind(page.after()).bind(page.rows_to_read()).fetch_all(&mut *transaction).await?;
        let keyed = rows.iter().map(|row| Ok((T::from_row(row)?, row.try_get("list_key")?)));
        Ok(page.of(keyed.collect::<sqlx::Result<_>>()?, total))
    }
}
