//! How often something may happen: so many times in a minute or a day, all at once or one by one. Must not know a clock.

use jiff::{SignedDuration, Timestamp};

/// So many times in a window of time; as often as one likes if it is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    times: u32,
    /// In which all of them may happen at once.
    window: SignedDuration,
}

/// What is said to who is held back.
#[derive(Debug, Clone, Copy)]
pub struct HeldBack {
    /// What was too often.
    pub rate: Rate,
    /// In how many seconds it may happen again.
    pub seconds: u64,
}

/// When everything that happened at one place is forgotten: all that must be known of it (the generic cell rate algorithm).
#[derive(Debug, Clone, Copy, Default)]
pub struct Past(Option<Timestamp>);

impl Rate {
    /// So many times a minute.
    pub const fn a_minute(times: u32) -> Self {
        Self { times, window: SignedDuration::from_mins(1) }
    }

    /// So many times a day.
    pub const fn a_day(times: u32) -> Self {
        Self { times, window: SignedDuration::from_hours(24) }
    }

    /// How many times.
    pub fn times(self) -> u32 {
        self.times
    }

    /// In which time all of them may happen at once, in seconds.
    pub fn window_seconds(self) -> i64 {
        self.window.as_secs()
    }

    /// Whether it may happen again at `now`; the error says when it may.
    pub fn check(self, past: Past, now: Timestamp) -> Result<(), HeldBack> {
        self.allows(past, now).map_err(|wait| HeldBack { rate: self, seconds: wait.as_secs().unsigned_abs() + 1 })
    }

    /// Whether it may happen again at `now`; the error is how long it may not.
    pub fn allows(self, past: Past, now: Timestamp) -> Result<(), SignedDuration> {
        let wait = past.left(self.window, now) + self.each() - self.window;
        if wait.is_positive() { Err(wait) } else { Ok(()) }
    }

    /// What is known when it has happened again at `now`, allowed or not.
    #[must_use]
    pub fn again(self, past: Past, now: Timestamp) -> Past {
        Past(Some(now + past.left(self.window, now) + self.each()))
    }

    /// What one time takes of the window.
    fn each(self) -> SignedDuration {
        if self.times == 0 {
            return SignedDuration::ZERO;
        }
        self.window / i32::try_from(self.times).unwrap_or(i32::MAX)
    }
}

impl Past {
    /// How long it is known yet. Never for longer than two windows: a clock that was put back locks nobody out.
    fn left(self, window: SignedDuration, now: Timestamp) -> SignedDuration {
        let left = self.0.map_or(SignedDuration::ZERO, |forgotten| forgotten.duration_since(now));
        left.clamp(SignedDuration::ZERO, window * 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    /// How often it may happen at `now`.
    fn times(rate: Rate, past: &mut Past, now: Timestamp) -> u32 {
        let mut times = 0;
        while rate.allows(*past, now).is_ok() && times < 1000 {
            *past = rate.again(*past, now);
            times += 1;
        }
        times
    }

    #[test]
    fn all_at_once_and_then_one_by_one() {
        let (rate, mut past) = (Rate::a_minute(10), Past::default());
        assert_eq!(times(rate, &mut past, at(0)), 10);
        assert_eq!(rate.allows(past, at(0)), Err(SignedDuration::from_secs(6)));
        assert_eq!(rate.allows(past, at(5)), Err(SignedDuration::from_secs(1)));
        assert_eq!(times(rate, &mut past, at(6)), 1);
        assert_eq!(times(rate, &mut past, at(6 + 18)), 3);
        assert_eq!(times(rate, &mut past, at(6 + 18 + 600)), 10, "no more than all of it comes back");
    }

    #[test]
    fn a_day_is_longer_than_a_minute() {
        let (rate, mut past) = (Rate::a_day(3), Past::default());
        assert_eq!(times(rate, &mut past, at(0)), 3);
        assert_eq!(times(rate, &mut past, at(7 * 3600)), 0);
        assert_eq!(times(rate, &mut past, at(8 * 3600)), 1);
    }

    #[test]
    fn zero_is_no_limit_and_no_clock_locks_anybody_out() {
        assert_eq!(times(Rate::a_minute(0), &mut Past::default(), at(0)), 1000);
        let (rate, mut past) = (Rate::a_minute(10), Past::default());
        assert_eq!(times(rate, &mut past, at(0)), 10);
        assert!(rate.allows(past, at(-3600)).unwrap_err() <= SignedDuration::from_secs(66));
    }
}
