//! The clock: the only place of the doors where time comes in.

use jiff::Timestamp;

/// The present in whole microseconds, as rows hold it: what an answer says now is what the next one says.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}
