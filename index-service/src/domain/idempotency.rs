//! Requests that may be sent twice and are carried out once, each known by a key that its caller gave it.
//!
//! What was done is kept for a day; a refusal changed nothing, so it is not. A secret is shown once: an answer that had one
//! is kept without its body. A request that was cut off between its change and its answer is never carried out again.

use super::Index;
use super::error::Refusal;
use crate::model::Account;
use crate::model::idempotency::{IdempotencyKey, KeptAnswer};
use crate::store::Attempt;
use jiff::Timestamp;

impl Index {
    /// Begins a request of `caller`; the answer instead, if it was carried out already.
    pub async fn begin_request(
        &self,
        caller: &Account,
        key: &IdempotencyKey,
        request_hash: &str,
        now: Timestamp,
    ) -> Result<Option<KeptAnswer>, Refusal> {
        match self.database.begin_request(&caller.id, key, request_hash, now).await? {
            Attempt::First => Ok(None),
            Attempt::OfAnother => Err(Refusal::KeyReused),
            Attempt::Begun => Err(Refusal::KeyInUse),
            Attempt::Answered(answer) if answer.had_secret => Err(Refusal::SecretShown(answer.location)),
            Attempt::Answered(answer) => Ok(Some(answer)),
        }
    }

    /// Ends a request that was begun: with the answer, if anything was done.
    pub async fn end_request(
        &self,
        caller: &Account,
        key: &IdempotencyKey,
        answer: Option<KeptAnswer>,
    ) -> Result<(), Refusal> {
        match answer {
            Some(answer) => Ok(self.database.keep_answer(&caller.id, key, &answer).await?),
            None => Ok(self.database.forget_request(&caller.id, key).await?),
        }
    }
}
