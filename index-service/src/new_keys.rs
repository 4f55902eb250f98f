//! The index's look at its own keys: what a command has changed in their folder is taken without a restart.
//!
//! Must not decide whose turn it is: `domain/key_ring.rs` does.

use crate::domain::Index;
use jiff::Timestamp;
use std::time::Duration;

/// How often: a few small files are read.
const INTERVAL: Duration = Duration::from_secs(5);

/// Goes on until the process ends.
pub async fn keep_keys(index: Index) {
    let mut timer = tokio::time::interval(INTERVAL);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        match index.take_keys(Timestamp::now()).await {
            Ok(false) => {}
            Ok(true) => tracing::info!("the keys of tokens have changed, and are taken as they are now"),
            Err(refusal) => tracing::warn!(error = %refusal, "the keys of tokens stay as they were"),
        }
    }
}
