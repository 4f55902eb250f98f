//! Questions of one kind that come together share one statement: to a connection's thread and back is a longer way than
//! a decision's statement itself.
//!
//! Each is answered from a state that the database had after it was asked. Must not know what is asked.

use super::database::PATIENCE;
use super::deciders::Deciders;
use super::error::StoreError;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Questions in one statement at most, which has room for as many.
pub(super) const MOST: usize = 8;

/// A question of which several fit in one statement.
pub(super) trait Question: Send + Sync + Sized + 'static {
    /// What one row says.
    type Answer: Send + 'static;

    /// The rows that answer at most [`MOST`] questions, each with the [`number`] of its question in `asked`.
    fn ask(
        connection: &mut SqliteConnection,
        asked: &[Self],
    ) -> impl Future<Output = sqlx::Result<Vec<SqliteRow>>> + Send;

    /// What such a row says.
    fn read(row: &SqliteRow) -> sqlx::Result<Self::Answer>;
}

/// Whom to tell what was found.
type Teller<Q> = oneshot::Sender<Result<Option<<Q as Question>::Answer>, StoreError>>;

/// Where questions are put. Clones share the statements.
pub(super) struct Questions<Q: Question>(UnboundedSender<(Q, Teller<Q>)>);

impl<Q: Question> Clone for Questions<Q> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q: Question> std::fmt::Debug for Questions<Q> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Questions")
    }
}

impl<Q: Question> Questions<Q> {
    /// Asks on these connections, in a task, which no request cancels.
    pub(super) fn new(deciders: Deciders) -> Self {
        let (asking, queue) = unbounded_channel();
        tokio::spawn(serve(deciders, queue));
        Self(asking)
    }

    /// The answer; `None` if the database says nothing of it.
    pub(super) async fn ask(&self, question: Q) -> Result<Option<Q::Answer>, StoreError> {
        let (teller, told) = oneshot::channel();
        // Should the task be gone, the teller is dropped, and the answer is below.
        let _ = self.0.send((question, teller));
        match timeout(PATIENCE, told).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(sqlx::Error::PoolClosed.into())),
            Err(_) => Err(sqlx::Error::PoolTimedOut.into()),
        }
    }
}

/// Answers everybody who asks, until nobody can ask any more. Who asks while a statement runs is in the next one.
async fn serve<Q: Question>(deciders: Deciders, mut queue: UnboundedReceiver<(Q, Teller<Q>)>) {
    let mut together = Vec::with_capacity(MOST);
    while queue.recv_many(&mut together, MOST).await > 0 {
        together.retain(|(_, teller)| !teller.is_closed());
        let (asked, tellers): (Vec<Q>, Vec<Teller<Q>>) = together.drain(..).unzip();
        if asked.is_empty() {
            continue;
        }
        let mut answers: Vec<Result<Option<Q::Answer>, StoreError>> = Vec::new();
        match rows(&deciders, &asked).await {
            Ok(rows) => {
                answers.resize_with(tellers.len(), || Ok(None));
                // A row that cannot be read is the trouble of one question, not of those that came with it.
                for row in rows {
                    if let Some(answer) = number(&row).ok().and_then(|number| answers.get_mut(number)) {
                        *answer = Q::read(&row).map(Some).map_err(StoreError::from);
                    }
                }
            }
            Err(error) => answers.resize_with(tellers.len(), || Err(error.clone())),
        }
        for (teller, answer) in tellers.into_iter().zip(answers) {
            // Who went away is not told.
            let _ = teller.send(answer);
        }
    }
}

async fn rows<Q: Question>(deciders: &Deciders, asked: &[Q]) -> Result<Vec<SqliteRow>, StoreError> {
    Ok(Q::ask(&mut *deciders.decider().await?, asked).await?)
}

/// The number of the question that `row` answers.
pub(super) fn number(row: &SqliteRow) -> sqlx::Result<usize> {
    let number = super::rows::unsigned(row, "number")?;
    usize::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Row;

    /// What is its number doubled? Of a negative one no row says anything, and the row of 13 says no number.
    struct Doubled(i64);

    impl Question for Doubled {
        type Answer = i64;

        async fn ask(connection: &mut SqliteConnection, asked: &[Self]) -> sqlx::Result<Vec<SqliteRow>> {
            let mut rows = Vec::new();
            for (number, asked) in (0_i64..).zip(asked).filter(|(_, asked)| asked.0 >= 0) {
                let row = "SELECT $1 AS number, CASE $2 WHEN 13 THEN 'much' ELSE 2 * $2 END AS doubled";
                rows.push(sqlx::query(row).bind(number).bind(asked.0).fetch_one(&mut *connection).await?);
            }
            Ok(rows)
        }

        fn read(row: &SqliteRow) -> sqlx::Result<Self::Answer> {
            row.try_get("doubled")
        }
    }

    #[tokio::test]
    async fn each_of_those_who_ask_together_is_told_its_own_answer() {
        let questions = Questions::new(Deciders::new(sqlx::sqlite::SqliteConnectOptions::new().in_memory(true)));
        let ask = async |number| questions.ask(Doubled(number)).await;
        let (one, none, unread, last) = tokio::join!(ask(1), ask(-1), ask(13), ask(4));
        assert_eq!((one.unwrap(), none.unwrap(), last.unwrap()), (Some(2), None, Some(8)));
        unread.unwrap_err();
    }
}
