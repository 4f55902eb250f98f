//! The rows of the revocation feed, written in the transaction that takes a right away.
//!
//! Must not decide what takes a right away: the methods that do call [`revoke`].

use super::database::Database;
use super::error::StoreError;
use super::rows::{bigint, micros, unsigned};
use super::writer::Unit;
use jiff::Timestamp;
use shared::revocations::{FeedAnswer, Position, Revocation, Revoked};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;

/// Rows in one answer of the feed.
const MAX_ROWS: u32 = 10_000;

/// What the database's feed is known by, and how its readers are woken. Clones share everything.
#[derive(Debug, Clone)]
pub struct Feed {
    incarnation: Arc<RwLock<String>>,
    written: Arc<watch::Sender<()>>,
}

/// A row as it is read, beside where the feed stands.
struct FeedRow {
    last: u64,
    oldest: u64,
    revocation: Option<Revocation>,
}

impl FromRow<'_, SqliteRow> for FeedRow {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let revocation = match row.try_get::<Option<&str>, _>("kind")? {
            None => None,
            Some(kind) => {
                let name: String = row.try_get("name")?;
                let revoked = match kind {
                    "subject" => Revoked::Subject(name),
                    "credential" => Revoked::Credential(name),
                    "namespace" => Revoked::Namespace(name),
                    _ => Revoked::Repository(name),
                };
                Some(Revocation { number: unsigned(row, "number")?, revoked })
            }
        };
        Ok(Self { last: unsigned(row, "last")?, oldest: unsigned(row, "oldest")?, revocation })
    }
}

impl Feed {
    /// The feed of the database that `writer` writes and that lies in the file with this inode. A database in another file
    /// than before is a restored one.
    pub(super) async fn open(writer: &mut SqliteConnection, inode: u64) -> sqlx::Result<Self> {
        let file = bigint(inode);
        let known = sqlx::query_scalar("SELECT id FROM incarnation WHERE file = $1").bind(file);
        let known: Option<String> = known.fetch_optional(&mut *writer).await?;
        if let Some(known) = known {
            return Ok(Self { incarnation: Arc::new(RwLock::new(known)), written: Arc::default() });
        }
        let incarnation = new_incarnation();
        sqlx::query("DELETE FROM incarnation").execute(&mut *writer).await?;
        let insert = sqlx::query("INSERT INTO incarnation (id, file) VALUES ($1, $2)").bind(&incarnation).bind(file);
        insert.execute(writer).await?;
        Ok(Self { incarnation: Arc::new(RwLock::new(incarnation)), written: Arc::default() })
    }

    fn incarnation(&self) -> String {
        self.incarnation.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The position `number` of this feed.
    pub(super) fn position(&self, number: u64) -> Position {
        Position { incarnation: self.incarnation(), number }
    }
}

impl Database {
    /// Commits what takes a right away, and wakes who follows the feed.
    pub(super) async fn commit_revocation(&self, unit: Unit) -> Result<(), StoreError> {
        unit.commit().await?;
        self.feed().written.send_replace(());
        Ok(())
    }

    /// Voids every registry token from before: this is another database from now on to whoever follows the feed.
    pub async fn revoke_all(&self) -> Result<(), StoreError> {
        let (incarnation, mut transaction) = (new_incarnation(), self.write().await?);
        let renew = sqlx::query("UPDATE incarnation SET id = $1").bind(&incarnation);
        renew.execute(&mut *transaction).await?;
        transaction.commit().await?;
        *self.feed().incarnation.write().unwrap_or_else(PoisonError::into_inner) = incarnation;
        self.feed().written.send_replace(());
        Ok(())
    }

    /// Wakes its holder when there are new rows.
    pub fn follow_revocations(&self) -> watch::Receiver<()> {
        self.feed().written.subscribe()
    }

    /// The rows after `after`, and where the feed stands. A position that is none of this feed gets all of them.
    pub async fn revocations(&self, after: &Position) -> Result<FeedAnswer, StoreError> {
        const ROWS: &str = "SELECT c.value AS last, COALESCE((SELECT MIN(number) FROM revocations), c.value) AS oldest,
                r.number, r.kind, r.name
             FROM counters c LEFT JOIN revocations r ON r.number > $1
             WHERE c.name = 'revocation' ORDER BY r.number LIMIT $2";
        let is_known = after.incarnation == self.feed().incarnation();
        let number = if is_known { after.number } else { 0 };
        let mut reader = self.decider().await?;
        let read = sqlx::query_as(ROWS).bind(bigint(number)).bind(MAX_ROWS + 1);
        let mut rows: Vec<FeedRow> = read.fetch_all(&mut *reader).await?;
        let more = rows.len() > MAX_ROWS as usize;
        rows.truncate(MAX_ROWS as usize);
        let (last, oldest) = rows.first().map_or((0, 0), |row| (row.last, row.oldest));
        let revocations: Vec<Revocation> = rows.into_iter().filter_map(|row| row.revocation).collect();
        let reached = if more { revocations.last().map_or(last, |row| row.number) } else { last };
        Ok(FeedAnswer { position: self.feed().position(reached), oldest, is_whole: number == 0, more, revocations })
    }

    /// Lets the rows go that were seen before `before`, and notes when the new ones were.
    pub async fn forget_revocations(&self, before: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let any =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM revocations WHERE noted_at IS NULL OR noted_at < $1)");
        if !any.bind(micros(before)).fetch_one(&mut *self.reader().await?).await? {
            return Ok(());
        }
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM revocations WHERE noted_at < $1")
            .bind(micros(before))
            .execute(&mut *transaction)
            .await?;
        let noted = sqlx::query("UPDATE revocations SET noted_at = $1 WHERE noted_at IS NULL");
        noted.bind(micros(now)).execute(&mut *transaction).await?;
        transaction.commit().await
    }
}

fn new_incarnation() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// Voids every registry token from before this transaction that `revoked` names. The caller commits with
/// [`Database::commit_revocation`].
pub(super) async fn revoke(connection: &mut SqliteConnection, revoked: &Revoked) -> sqlx::Result<()> {
    let (kind, name) = match revoked {
        Revoked::Subject(name) => ("subject", name),
        Revoked::Credential(name) => ("credential", name),
        Revoked::Namespace(name) => ("namespace", name),
        Revoked::Repository(id) => ("repository", id),
    };
    let next = sqlx::query_scalar("UPDATE counters SET value = value + 1 WHERE name = 'revocation' RETURNING value");
    let number: i64 = next.fetch_one(&mut *connection).await?;
    let insert = sqlx::query("INSERT INTO revocations (number, kind, name) VALUES ($1, $2, $3)");
    insert.bind(number).bind(kind).bind(name).execute(connection).await.map(drop)
}

/// The same for an account, by its id.
pub(super) async fn revoke_account(connection: &mut SqliteConnection, id: &str) -> sqlx::Result<()> {
    let name = sqlx::query_scalar("SELECT name FROM accounts WHERE id = $1").bind(id);
    match name.fetch_optional(&mut *connection).await? {
        Some(name) => revoke(connection, &Revoked::Subject(name)).await,
        None => Ok(()),
    }
}

/// The same for everybody in a team, by its id.
pub(super) async fn revoke_team(connection: &mut SqliteConnection, id: &str) -> sqlx::Result<()> {
    let members = sqlx::query_scalar(
        "SELECT a.name FROM team_members m JOIN accounts a ON a.id = m.account_id WHERE m.team_id = $1",
    );
    let members: Vec<String> = members.bind(id).fetch_all(&mut *connection).await?;
    for member in members {
        revoke(connection, &Revoked::Subject(member)).await?;
    }
    Ok(())
}
