//! Opens the database once, rightly: one connection that writes, several that only read, migrations run.

use super::access_tokens::SecretQuestion;
use super::deciders::{Decider, Deciders};
use super::error::StoreError;
use super::order::{Moment, Order};
use super::places::PlaceQuestion;
use super::questions::Questions;
use super::revocations::Feed;
use super::writer::{Unit, Writer};
use anyhow::{Context, bail};
use sqlx::migrate::MigrateError;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};
use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Connections that only read.
const READERS: u32 = 4;

/// How long a statement waits for a lock, and a request for a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The first SQLite without the WAL-reset bug, which could lose a commit.
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];

/// The index's database. Clones share the same connections.
#[derive(Debug, Clone)]
pub struct Database {
    writer: Writer,
    /// One connection, so that writers queue in order instead of meeting at the lock.
    writing: SqlitePool,
    readers: SqlitePool,
    deciders: Deciders,
    places: Questions<PlaceQuestion>,
    secrets: Questions<SecretQuestion>,
    feed: Feed,
    order: Order,
}

impl Database {
    /// Opens `url`, as `sqlite:<path>`, makes it if it is missing, and brings it up to date.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        let file = Self::path(url)?;
        let path = file.display().to_string();
        let inode = keep_private(&file).with_context(|| format!("cannot open the database {path}"))?;
        let options = SqliteConnectOptions::new().filename(&file);
        let options = options.create_if_missing(true).busy_timeout(PATIENCE).foreign_keys(true);
        let writer_options = options.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let writing =
            pool(1).connect_with(writer_options).await.with_context(|| format!("cannot open the database {path}"))?;
        check_version(&writing).await?;
        migrate(&writing, &path).await?;
        let feed = Feed::open(&mut *writing.acquire().await?, inode).await?;
        let options = options.pragma("query_only", "ON");
        let deciders = Deciders::new(options.clone());
        let readers = pool(READERS).connect_lazy_with(options);
        Ok(Self {
            writer: Writer::new(writing.clone()),
            writing,
            readers,
            places: Questions::new(deciders.clone()),
            secrets: Questions::new(deciders.clone()),
            deciders,
            feed,
            order: Order::default(),
        })
    }

    /// Where the database of `url` lies.
    pub fn path(url: &str) -> anyhow::Result<PathBuf> {
        match url.strip_prefix("sqlite:") {
            Some(path) => Ok(PathBuf::from(path.trim_start_matches("//"))),
            None => bail!("INDEX_DATABASE_URL={url:?} cannot be used: only sqlite:<path> is"),
        }
    }

    /// A unit that writes. What it answers without a commit is a refusal, which promises nothing: it may rest on what
    /// another unit has changed and not yet committed.
    pub(super) async fn write(&self) -> Result<Unit, StoreError> {
        let mut unit = self.writer.unit().await?;
        self.order.count(&mut unit).await?;
        Ok(unit)
    }

    /// A unit that changes nothing of what a conditional request looks at, with the moment at which it has the connection.
    pub(super) async fn unnumbered(&self) -> Result<(Moment, Unit), StoreError> {
        let mut unit = self.writer.unit().await?;
        Ok((self.order.now(&mut unit).await?, unit))
    }

    /// A connection for what a decision rests on.
    pub(super) async fn decider(&self) -> Result<Decider, StoreError> {
        self.deciders.decider().await
    }

    /// What subjects meet at repository names.
    pub(super) fn place_questions(&self) -> &Questions<PlaceQuestion> {
        &self.places
    }

    /// Whose the secrets of access tokens are.
    pub(super) fn secret_questions(&self) -> &Questions<SecretQuestion> {
        &self.secrets
    }

    /// A transaction that only reads: its statements see one state.
    pub(super) async fn read(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.readers.begin().await?)
    }

    /// A connection for one reading statement, which needs no transaction.
    pub(super) async fn reader(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        Ok(self.readers.acquire().await?)
    }

    pub(super) fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Whether the database answers.
    pub async fn check(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT value FROM counters WHERE name = 'turn'").fetch_one(&mut *self.reader().await?).await?;
        Ok(())
    }

    /// Closes every connection; the last one to close writes the log back into the database.
    pub async fn close(&self) {
        self.readers.close().await;
        self.deciders.close().await;
        self.writing.close().await;
    }
}

/// The database holds password hashes. SQLite gives its log files the mode of the database. Returns the file's inode.
fn keep_private(path: &Path) -> std::io::Result<u64> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file.metadata()?.ino())
}

/// A pool for SQLite: a connection is a thread here, not a socket that could be gone, so none is tested or retired.
fn pool(size: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(size)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(PATIENCE)
}

async fn check_version(pool: &SqlitePool) -> anyhow::Result<()> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(pool).await?;
    refuse_old(&version)
}

fn refuse_old(version: &str) -> anyhow::Result<()> {
    let numbers: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    if numbers.as_slice() < OLDEST_SQLITE.as_slice() {
        bail!(
            "SQLite {version} can lose a commit; at least {} is needed",
            OLDEST_SQLITE.map(|n| n.to_string()).join(".")
        );
    }
    Ok(())
}

async fn migrate(pool: &SqlitePool, path: &str) -> anyhow::Result<()> {
    match sqlx::migrate!("../migrations/sqlite").run(pool).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(version)) => bail!(
            "the database {path} was written by a newer version of Berth (migration {version}); run that version, or \
             restore the backup made before it"
        ),
        Err(error) => bail!("the database {path} cannot be brought up to date: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::SqliteConnection;

    /// How the connection works: its journal, how it syncs, whether rows need those they name, and whether it only reads.
    async fn settings(connection: &mut SqliteConnection) -> (String, i64, bool, bool) {
        (
            sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await.unwrap(),
            sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await.unwrap(),
            sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&mut *connection).await.unwrap(),
            sqlx::query_scalar("PRAGMA query_only").fetch_one(&mut *connection).await.unwrap(),
        )
    }

    /// Tries to change something; whether it could.
    async fn writes(connection: &mut SqliteConnection) -> bool {
        sqlx::query("UPDATE counters SET value = value").execute(connection).await.is_ok()
    }

    #[tokio::test]
    async fn what_is_committed_is_on_the_disk_and_who_reads_cannot_write() {
        const FULL: i64 = 2;
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("index.sqlite").display());
        let database = Database::open(&url).await.unwrap();
        let mut unit = database.write().await.unwrap();
        assert_eq!(settings(&mut unit).await, ("wal".to_owned(), FULL, true, false));
        assert!(writes(&mut unit).await);
        drop(unit);
        let (mut reader, mut decider) = (database.reader().await.unwrap(), database.decider().await.unwrap());
        let mut reading = database.read().await.unwrap();
        for connection in [&mut *reader, &mut *decider, &mut *reading] {
            let (journal, .., only_reads) = settings(connection).await;
            assert_eq!((journal.as_str(), only_reads), ("wal", true));
            assert!(!writes(connection).await);
        }
    }

    #[test]
    fn a_sqlite_that_can_lose_a_commit_is_refused() {
        for (version, good) in
            [("3.51.3", true), ("3.51.2", false), ("3.52.0", true), ("3.9.100", false), ("4.0", true), ("", false)]
        {
            assert_eq!(refuse_old(version).is_ok(), good, "{version}");
        }
    }
}
