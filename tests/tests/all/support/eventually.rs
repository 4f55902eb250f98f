//! Waiting for what happens without a request that could be waited for.

use std::time::{Duration, Instant};

/// Asks again until `holds`, for `patience` at most.
pub async fn eventually(what: &str, patience: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < patience, "not within {patience:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
