//! What can go wrong with the database itself.

use std::sync::Arc;

/// The database did not do its work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Not now: locked, no connection free, or no room left. The same request may succeed later.
    #[error("the database is busy or full: {0}")]
    Busy(#[source] Arc<sqlx::Error>),
    /// The transaction that the change was a part of came to nothing, and the change with it.
    #[error("the database undid the transaction, and the change with it")]
    Undone,
    /// Another change came between a look and the change that was to follow it; nothing was changed.
    #[error("another change came first")]
    Overtaken,
    /// A fault.
    #[error("the database failed: {0}")]
    Broken(#[source] Arc<sqlx::Error>),
}

/// SQLite's result codes, in their low byte, of what passes by itself or with more room: BUSY, LOCKED, FULL.
const PASSING: [i32; 3] = [5, 6, 13];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
        let is_passing = code.is_some_and(|code| PASSING.contains(&(code & 0xff)));
        if is_passing || matches!(error, sqlx::Error::PoolTimedOut) {
            Self::Busy(error.into())
        } else {
            Self::Broken(error.into())
        }
    }
}
