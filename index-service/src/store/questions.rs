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

    /// Answers at most [`MOST`] questions, each by its number in `asked`; one of which no row says anything is left out.
    fn ask(
        connection: &mut SqliteConnection,
        asked: &[Self],
    ) -> impl Future<Output = sqlx::Result<Vec<(usize, Self::Answer)>>> + Send;
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
        match answer(&deciders, &asked).await {
            Ok(found) => {
                answers.resize_with(tellers.len(), || Ok(None));
                for (number, answer) in found {
                    if let Some(place) = answers.get_mut(number) {
                        *place = Ok(Some(answer));
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

async fn answer<Q: Question>(deciders: &Deciders, asked: &[Q]) -> Result<Vec<(usize, Q::Answer)>, StoreError> {
    Ok(Q::ask(&mut *deciders.decider().await?, asked).await?)
}

/// The number of the question that `row` answers.
pub(super) fn number(row: &SqliteRow) -> sqlx::Result<usize> {
    let number = super::rows::unsigned(row, "number")?;
    usize::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()))
}
