//! The order of changes: how a request makes sure that nothing changed between what it looked at and its own first change.
//!
//! Changes of this process are numbered as each gets the writing connection. Who looks at a thing after the change `n`
//! and then makes the change `n + 1` has looked at the thing as it is. Must not know what is looked at.
//!
//! It is true for one process on a database, which is what SQLite is used for here: what another process writes beside it,
//! as `berth` at the command line does, has no number. Several indexes need a version in each row.

use super::database::Database;
use super::error::StoreError;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

tokio::task_local! {
    /// After which change the next one of this task is to come.
    static EXPECTED: Cell<Option<u64>>;
}

/// Gives changes their numbers. Clones count on.
#[derive(Debug, Clone, Default)]
pub(super) struct Order(Arc<AtomicU64>);

/// The moment after a change that is committed, with all before it.
#[derive(Debug, Clone, Copy)]
pub struct Moment(u64);

impl Order {
    /// Numbers a change, which has got the writing connection; refused, without a number, if another came before it that
    /// should not.
    pub(super) fn count(&self) -> Result<(), StoreError> {
        let expected = EXPECTED.try_with(Cell::take).ok().flatten();
        if expected.is_some_and(|expected| self.0.load(Ordering::SeqCst) != expected) {
            return Err(StoreError::Overtaken);
        }
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// The moment after the last change, for who has the writing connection.
    pub(super) fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }
}

impl Moment {
    /// Runs `request`, whose first change fails as overtaken unless it is the very next after this moment.
    pub async fn then<F: Future>(self, request: F) -> F::Output {
        EXPECTED.scope(Cell::new(Some(self.0)), request).await
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
