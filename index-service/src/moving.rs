//! The index's background work: wishes that no registry has answered to are repeated, what has been deleted for long
//! enough is purged, and what ends by its time is ended.
//!
//! Must not decide what is wished: `domain/moves.rs` does.

use crate::domain::Mover;
use jiff::Timestamp;
use std::time::Duration;

/// How often. A registry that comes back is asked again soon, and one row is read where nothing is wished.
const INTERVAL: Duration = Duration::from_secs(10);

/// Goes on until the process ends; begins at once, with what an index that was stopped had wished.
pub async fn keep_moving(mover: Mover) {
    let mut timer = tokio::time::interval(INTERVAL);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        if let Err(refusal) = mover.carry_out_all(Timestamp::now()).await {
            tracing::warn!(error = %refusal, "wishes about repositories cannot be read");
        }
        if let Err(refusal) = mover.index().keep_feed(Timestamp::now()).await {
            tracing::warn!(error = %refusal, "the feed of revocations cannot be kept");
        }
    }
}
