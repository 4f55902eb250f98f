//! The feed by which registries hear that tokens are void, and what writes to it by itself when its time has come.
//!
//! Must not decide what voids a token: the rows are written where rights are taken away (`store/revocations.rs`).

use super::Index;
use super::error::Refusal;
use jiff::{SignedDuration, Timestamp};
use shared::revocations::{FeedAnswer, Position};
use std::time::Duration;

/// A registry gets an answer after this at the latest. One whose last answer was asked for more than two seconds ago no
/// longer trusts what it remembers, so several are due in that time.
const PATIENCE: Duration = Duration::from_millis(500);

/// A push may outlive its token by six hours, so rows are kept longer.
const KEPT: SignedDuration = SignedDuration::from_hours(7);

impl Index {
    /// What was revoked after `after`; waits a little if that is nothing.
    pub async fn revocations(&self, after: &Position) -> Result<FeedAnswer, Refusal> {
        // Before the rows are read: what is written in between wakes too.
        let mut written = self.database.follow_revocations();
        written.mark_unchanged();
        let answer = self.database.revocations(after).await?;
        if answer.position != *after {
            return Ok(answer);
        }
        // Another process may have written, which wakes nobody: the rows are read again in any case.
        let _ = tokio::time::timeout(PATIENCE, written.changed()).await;
        Ok(self.database.revocations(after).await?)
    }

    /// Ends what ends by its time alone, and forgets what nobody needs to hear any more.
    pub async fn keep_feed(&self, now: Timestamp) -> Result<(), Refusal> {
        self.database.end_old_secrets(now).await?;
        Ok(self.database.forget_revocations(now - KEPT, now).await?)
    }
}
