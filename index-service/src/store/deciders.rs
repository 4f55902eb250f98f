//! Connections for decisions about one subject: tokens must not wait behind lists and searches.
//!
//! Unlike a pool's, one that is given back needs no word with its thread before it is lent again, which would cost as
//! much as the one statement that a decision takes. Must not know what is asked.

use super::database::PATIENCE;
use super::error::StoreError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How many there are.
const DECIDERS: usize = 2;

/// A connection, once it was needed.
type Slot = Arc<Mutex<Option<SqliteConnection>>>;

/// The connections. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Deciders {
    options: Arc<SqliteConnectOptions>,
    slots: Arc<[Slot]>,
    /// As many permits as slots: who has one finds a slot free.
    permits: Arc<Semaphore>,
}

/// A connection, until it is dropped.
pub(super) struct Decider {
    connection: OwnedMappedMutexGuard<Option<SqliteConnection>, SqliteConnection>,
    // Given back last.
    _permit: OwnedSemaphorePermit,
}

impl Deciders {
    /// Connections with these options, opened when they are needed.
    pub(super) fn new(options: SqliteConnectOptions) -> Self {
        let slots = (0..DECIDERS).map(|_| Slot::default()).collect();
        Self { options: Arc::new(options), slots, permits: Arc::new(Semaphore::new(DECIDERS)) }
    }

    /// A connection, in the order in which they were asked for.
    pub(super) async fn decider(&self) -> Result<Decider, StoreError> {
        let permit = timeout(PATIENCE, self.permits.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        let free = self.slots.iter().find_map(|slot| slot.clone().try_lock_owned().ok());
        let mut slot = free.ok_or(sqlx::Error::PoolTimedOut)?;
        if slot.is_none() {
            *slot = Some(self.options.connect().await?);
        }
        let connection = OwnedMutexGuard::try_map(slot, Option::as_mut).map_err(|_| sqlx::Error::PoolClosed)?;
        Ok(Decider { connection, _permit: permit })
    }

    /// Lends none any more, and closes each when it is back.
    pub(super) async fn close(&self) {
        self.permits.close();
        for slot in self.slots.iter() {
            if let Some(connection) = slot.lock().await.take() {
                // It has nothing to write.
                let _ = connection.close().await;
            }
        }
    }
}

impl Deref for Decider {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Decider {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}
