//! The order of changes: how a request makes sure that nothing changed between what it looked at and its own first change.
//!
//! Changes of this process are numbered as each gets the writing connection. Who looks at a thing after the change `n`
//! and then makes the change `n + 1` has looked at the thing as it is. Must not know what is looked at.
//!
//! What another process writes beside it, as `berth` at the command line does, has no number; SQLite tells a connection
//! that there was some. Several indexes on a database of another kind need a version in each row.

use super::database::Database;
use super::error::StoreError;
use sqlx::SqliteConnection;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

tokio::task_local! {
    /// After which change the next one of this task is to come.
    static EXPECTED: Cell<Option<Moment>>;
}

/// Gives changes their numbers. Clones count on.
#[derive(Debug, Clone, Default)]
pub(super) struct Order(Arc<AtomicU64>);

/// The moment after a change that is committed, with all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    change: u64,
    /// What SQLite says of the changes of other processes.
    elsewhere: i64,
}

impl Order {
    /// Numbers a change, which has got the writing connection; refused, without a number, if another came before it that
    /// should not.
    pub(super) async fn count(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        if let Some(expected) = EXPECTED.try_with(Cell::take).ok().flatten()
            && self.now(connection).await? != expected
        {
            return Err(StoreError::Overtaken);
        }
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// The moment after the last change, for who has the writing connection.
    pub(super) async fn now(&self, connection: &mut SqliteConnection) -> Result<Moment, StoreError> {
        let elsewhere = sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await?;
        Ok(Moment { change: self.0.load(Ordering::SeqCst), elsewhere })
    }
}

impl Moment {
    /// Runs `request`, whose first change fails as overtaken unless it is the very next after this moment.
    pub async fn then<F: Future>(self, request: F) -> F::Output {
        EXPECTED.scope(Cell::new(Some(self)), request).await
    }
}

impl Database {
    /// This moment: what is looked at from now on has all changes up to it.
    pub async fn moment(&self) -> Result<Moment, StoreError> {
        let (moment, unit) = self.unnumbered().await?;
        unit.commit().await?;
        Ok(moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn change(database: &Database) {
        let mut unit = database.write().await.unwrap();
        let turn = sqlx::query("UPDATE counters SET value = value + 1 WHERE name = 'turn'");
        turn.execute(&mut *unit).await.unwrap();
        unit.commit().await.unwrap();
    }

    #[tokio::test]
    async fn whatever_changed_since_overtakes_in_this_process_or_another() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("index.sqlite").display());
        let (own, other) = (Database::open(&url).await.unwrap(), Database::open(&url).await.unwrap());
        for changed in [None, Some(&own), Some(&other)] {
            let seen = own.moment().await.unwrap();
            if let Some(database) = changed {
                change(database).await;
            }
            let overtaken = matches!(seen.then(own.write()).await, Err(StoreError::Overtaken));
            assert_eq!(overtaken, changed.is_some());
        }
    }
}
