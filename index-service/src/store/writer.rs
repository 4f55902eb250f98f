//! The one writer of the database: units that come together share one COMMIT, and so one sync of the disk.
//!
//! A unit is what one method of the store changes, all of it or nothing: a savepoint in a shared transaction. Units get
//! the connection in the order in which they asked, each for itself. When one has ended the next that waits joins; when
//! none waits, all are committed, and only then told so. A unit that is dropped, because it was refused, failed or
//! cancelled, is rolled back alone. Must not know what a unit changes.

use super::error::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, SqlitePool};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};
use tokio::time::timeout;

/// Units in one transaction at most: the first waits for the last.
const MOST_UNITS: usize = 64;

/// Who waits to write.
type Asker = oneshot::Sender<Result<Unit, StoreError>>;

/// Whom to tell that its unit is committed. Dropped: it is not.
type Teller = oneshot::Sender<()>;

/// The connection, which either the task or one unit has.
type Shared = Arc<Mutex<PoolConnection<Sqlite>>>;

/// Lends the writing connection. Clones lend the same one.
#[derive(Debug, Clone)]
pub(super) struct Writer(UnboundedSender<Asker>);

/// A change in the making. Dropped without a commit, nothing of it is kept.
pub(super) struct Unit {
    connection: OwnedMutexGuard<PoolConnection<Sqlite>>,
    keep: oneshot::Sender<Teller>,
}

impl Writer {
    /// The writer of this pool of one connection. Its steps are a task's, which no request cancels.
    pub(super) fn new(pool: SqlitePool) -> Self {
        let (asking, queue) = unbounded_channel();
        tokio::spawn(serve(pool, queue));
        Self(asking)
    }

    /// A unit, as soon as those that asked before have ended.
    pub(super) async fn unit(&self) -> Result<Unit, StoreError> {
        let (asker, unit) = oneshot::channel();
        // Should the task be gone, the asker is dropped, and the answer is below.
        let _ = self.0.send(asker);
        match timeout(super::database::PATIENCE, unit).await {
            Ok(lent) => lent.unwrap_or(Err(StoreError::Undone)),
            Err(_) => Err(sqlx::Error::PoolTimedOut.into()),
        }
    }
}

impl Unit {
    /// Keeps the unit. When this returns it is on the disk.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        let (teller, told) = oneshot::channel();
        // Should the task be gone, the teller is dropped, and the answer is below.
        let _ = self.keep.send(teller);
        drop(self.connection);
        told.await.map_err(|_| StoreError::Undone)
    }
}

impl Deref for Unit {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Unit {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

/// Serves everybody who asks, until nobody can ask any more.
async fn serve(pool: SqlitePool, mut queue: UnboundedReceiver<Asker>) {
    while let Some(first) = queue.recv().await {
        if first.is_closed() {
            continue;
        }
        match begin(&pool).await {
            Ok(connection) => transaction(&connection, first, &mut queue).await,
            Err(error) => {
                let _ = first.send(Err(error.into()));
            }
        }
    }
}

/// Takes the database's lock at once: a transaction that begins by reading and writes later would fail when another
/// process wrote in between.
async fn begin(pool: &SqlitePool) -> sqlx::Result<Shared> {
    let mut connection = pool.acquire().await?;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    Ok(Arc::new(Mutex::new(connection)))
}

/// The rest of a transaction that has begun.
async fn transaction(connection: &Shared, first: Asker, queue: &mut UnboundedReceiver<Asker>) {
    let mut tellers = Vec::new();
    let committed = units(connection, first, queue, &mut tellers).await;
    let mut connection = connection.lock().await;
    let committed = match committed {
        Ok(()) => sqlx::query("COMMIT").execute(&mut **connection).await.map(drop),
        Err(error) => Err(error),
    };
    match committed {
        Ok(()) => tellers.into_iter().for_each(|teller| {
            // Who went away is not told, and its unit is kept all the same.
            let _ = teller.send(());
        }),
        Err(error) => {
            tracing::error!(units = tellers.len(), "the database undid a transaction: {error}");
            // Whatever its state is, it ends with the connection.
            connection.close_on_drop();
        }
    }
}

/// Lets `first` and those who wait behind it make their changes, one after the other.
async fn units(
    connection: &Shared,
    first: Asker,
    queue: &mut UnboundedReceiver<Asker>,
    tellers: &mut Vec<Teller>,
) -> sqlx::Result<()> {
    tellers.extend(unit(connection, first).await?);
    for _ in 1..MOST_UNITS {
        let Ok(asker) = queue.try_recv() else { break };
        tellers.extend(unit(connection, asker).await?);
    }
    Ok(())
}

/// Lets one unit make its changes; whom to tell if it is to be kept.
///
/// An error means that the transaction is lost: a full disk, for one, makes SQLite end it, and then the savepoint of the
/// unit that met it is gone too.
async fn unit(connection: &Shared, asker: Asker) -> sqlx::Result<Option<Teller>> {
    let mut own = connection.clone().lock_owned().await;
    sqlx::query("SAVEPOINT unit").execute(&mut **own).await?;
    let (keep, kept) = oneshot::channel();
    // Who has gone away drops the unit at once.
    let _ = asker.send(Ok(Unit { connection: own, keep }));
    let teller = kept.await.ok();
    let mut own = connection.lock().await;
    if teller.is_none() {
        sqlx::query("ROLLBACK TO unit").execute(&mut **own).await?;
    }
    sqlx::query("RELEASE unit").execute(&mut **own).await?;
    Ok(teller)
}

#[cfg(test)]
mod tests {
    use super::super::Database;
    use super::*;
    use tokio::task::{JoinHandle, yield_now};

    /// A database that goes away with its folder.
    async fn database() -> (Database, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite");
        (Database::open(&format!("sqlite:{}", path.display())).await.unwrap(), folder)
    }

    async fn count(unit: &mut Unit) {
        sqlx::query("UPDATE counters SET value = value + 1 WHERE name = 'turn'").execute(&mut **unit).await.unwrap();
    }

    /// How often it was counted, as everybody sees it.
    async fn counted(database: &Database) -> i64 {
        let counted = sqlx::query_scalar("SELECT value FROM counters WHERE name = 'turn'");
        counted.fetch_one(&mut *database.reader().await.unwrap()).await.unwrap()
    }

    /// Somebody who waits to write, behind all who do.
    async fn behind(database: &Database) -> JoinHandle<Unit> {
        let database = database.clone();
        let waits = tokio::spawn(async move { database.write().await.unwrap() });
        yield_now().await;
        waits
    }

    #[tokio::test]
    async fn units_that_come_together_are_committed_together_or_given_up_alone() {
        let (database, _folder) = database().await;
        let mut first = database.write().await.unwrap();
        let (second, third) = (behind(&database).await, behind(&database).await);
        count(&mut first).await;
        let first = tokio::spawn(first.commit());
        let mut second = second.await.unwrap();
        count(&mut second).await;
        drop(second);
        let mut third = third.await.unwrap();
        count(&mut third).await;
        assert_eq!((first.is_finished(), counted(&database).await), (false, 0), "before the last has ended");
        third.commit().await.unwrap();
        first.await.unwrap().unwrap();
        assert_eq!(counted(&database).await, 2);
    }

    #[tokio::test]
    async fn nobody_who_shared_it_is_told_good_of_a_transaction_that_the_database_ended() {
        let (database, _folder) = database().await;
        let mut first = database.write().await.unwrap();
        let (second, third) = (behind(&database).await, behind(&database).await);
        count(&mut first).await;
        let first = tokio::spawn(first.commit());
        // As SQLite does when the disk is full.
        let mut second = second.await.unwrap();
        sqlx::query("ROLLBACK").execute(&mut *second).await.unwrap();
        drop(second);
        assert!(matches!(first.await.unwrap(), Err(StoreError::Undone)));
        let mut third = third.await.unwrap();
        count(&mut third).await;
        third.commit().await.unwrap();
        assert_eq!(counted(&database).await, 1);
    }

    #[tokio::test]
    async fn more_than_one_transaction_holds_are_all_served() {
        let (database, _folder) = database().await;
        let crowd: Vec<_> = (0..129)
            .map(|number| {
                let database = database.clone();
                tokio::spawn(async move {
                    let mut unit = database.write().await.unwrap();
                    count(&mut unit).await;
                    if number % 3 > 0 {
                        unit.commit().await.unwrap();
                    }
                })
            })
            .collect();
        for one in crowd {
            one.await.unwrap();
        }
        assert_eq!(counted(&database).await, 86);
    }
}
