//! Guessing passwords is held back, by address and by account, and never locks an owner out.
//!
//! Only wrong passwords count. What is tried falls under the first of these rules that fits:
//!
//! 1. An access token is no password, and opens always.
//! 2. Where an account signed in with its password within thirty days, only what is wrong for this account from this address
//!    counts: neither what is guessed there at others nor what is guessed elsewhere is in its owner's way. The database has
//!    those addresses, so a restart forgets none.
//! 3. From anywhere else an address has its limit, for whatever accounts it guesses at. This one is hard.
//! 4. All such addresses together have the account's limit. When it is reached, each of them has a few tries a day for that
//!    account in the slow lane, where one password is checked at a time. So the owner gets in from a new address too.
//!
//! What a crowd gains: each of its addresses has its few tries a day beside what the account's limit allows all of them. The
//! slow lane is one for all accounts, so that a crowd has at most one of the turns at passwords in it. While more wait there
//! than get their turn in time, who comes from a new address is told to come again; that ends when the crowd's tries are used up.
//! What was wrong is remembered in memory, by one process; what is not remembered is forgiven.

use super::Index;
use super::error::Refusal;
use crate::model::Account;
use crate::model::rate::{HeldBack, Past, Rate};
use jiff::{SignedDuration, Timestamp};
use quick_cache::unsync::Cache;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Addresses, accounts, and pairs of them that are remembered; some 50 bytes each.
const REMEMBERED: usize = 100_000;

/// How long an account is known at an address where it signed in.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// That it signed in from there is noted again after this.
const NOTED_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// From each other address, for an account whose limit is reached.
const SLOW_TRIES: Rate = Rate::a_day(3);

/// How many wrong passwords a minute are answered at all.
#[derive(Debug, Clone, Copy)]
pub struct GuessRates {
    /// From one address.
    pub per_address: Rate,
    /// For one account, from all addresses where it did not sign in lately; beyond it there is the slow lane.
    pub per_account: Rate,
}

/// What is remembered. Clones share it.
#[derive(Clone)]
pub struct Guesses(Arc<Shared>);

struct Shared {
    rates: GuessRates,
    /// Names and addresses are remembered as numbers that nobody outside can aim at.
    hasher: RandomState,
    memory: Mutex<Memory>,
}

struct Memory {
    addresses: Cache<u64, Past>,
    accounts: Cache<u64, Past>,
    /// What was wrong for an account that is known at the address.
    known: Cache<u64, Past>,
    /// What was wrong in the slow lane, for an account from an address.
    slow: Cache<u64, Past>,
}

/// How a try that may be made is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// As soon as there is a turn.
    Free,
    /// One at a time.
    Slow,
}

/// One try to sign in.
#[derive(Clone)]
pub(super) struct Guess {
    guesses: Guesses,
    address: u64,
    account: u64,
    pair: u64,
    is_known: bool,
}

impl Guesses {
    /// Nothing is remembered yet.
    pub fn new(rates: GuessRates) -> Self {
        let memory = Memory {
            addresses: Cache::new(REMEMBERED),
            accounts: Cache::new(REMEMBERED),
            known: Cache::new(REMEMBERED),
            slow: Cache::new(REMEMBERED),
        };
        Self(Arc::new(Shared { rates, hasher: RandomState::new(), memory: Mutex::new(memory) }))
    }

    /// A try at `now` to sign in as `user`, whether or not there is such an account, from the address `network`, where it did
    /// so rightly at `last`.
    pub(super) fn guess(&self, user: &str, network: IpAddr, last: Option<Timestamp>, now: Timestamp) -> Guess {
        Guess {
            address: self.0.hasher.hash_one(network),
            account: self.0.hasher.hash_one(user),
            pair: self.0.hasher.hash_one((network, user)),
            is_known: last.is_some_and(|last| now.duration_since(last) < KNOWN_FOR),
            guesses: self.clone(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guess {
    /// Whether it may be tried at `now`, and how.
    pub(super) fn check(&self, now: Timestamp) -> Result<Lane, Refusal> {
        let memory = self.guesses.memory();
        let lane = if self.is_known {
            let GuessRates { per_address, .. } = self.guesses.0.rates;
            per_address.check(past(&memory.known, self.pair), now).map(|()| Lane::Free)
        } else {
            self.lane_of_stranger(&memory, now)
        };
        lane.map_err(Refusal::TooManyGuesses)
    }

    /// The same from an address where the account is not known.
    fn lane_of_stranger(&self, memory: &Memory, now: Timestamp) -> Result<Lane, HeldBack> {
        let GuessRates { per_address, per_account } = self.guesses.0.rates;
        per_address.check(past(&memory.addresses, self.address), now)?;
        let Err(held_back) = per_account.check(past(&memory.accounts, self.account), now) else {
            return Ok(Lane::Free);
        };
        // The account's limit is free again long before a day is over.
        SLOW_TRIES.allows(past(&memory.slow, self.pair), now).map(|()| Lane::Slow).map_err(|_| held_back)
    }

    /// Remembers whether the password was right.
    pub(super) fn was(&self, right: bool, now: Timestamp) {
        if right {
            return;
        }
        let GuessRates { per_address, per_account } = self.guesses.0.rates;
        let mut memory = self.guesses.memory();
        if self.is_known {
            return note(&mut memory.known, self.pair, per_address, now);
        }
        if per_account.allows(past(&memory.accounts, self.account), now).is_err() {
            note(&mut memory.slow, self.pair, SLOW_TRIES, now);
        }
        note(&mut memory.addresses, self.address, per_address, now);
        note(&mut memory.accounts, self.account, per_account, now);
    }
}

fn past(pasts: &Cache<u64, Past>, key: u64) -> Past {
    pasts.get(&key).copied().unwrap_or_default()
}

fn note(pasts: &mut Cache<u64, Past>, key: u64, rate: Rate, now: Timestamp) {
    let past = past(pasts, key);
    pasts.insert(key, rate.again(past, now));
}

impl Index {
    /// Notes that an account signed in from the address `network`, where it did so last at `last`.
    pub(super) fn note_sign_in(&self, account: &Account, network: IpAddr, last: Option<Timestamp>, now: Timestamp) {
        if last.is_some_and(|last| now.duration_since(last) < NOTED_EVERY) {
            return;
        }
        let (database, id) = (self.database.clone(), account.id.clone());
        // It opens whether or not that can be written, and does not wait for it.
        tokio::spawn(async move {
            if let Err(error) = database.keep_sign_in(&id, network, now, now - KNOWN_FOR).await {
                tracing::warn!("where an account signed in is not noted: {error}");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guesses() -> Guesses {
        let (per_address, per_account) = (Rate::a_minute(5), Rate::a_minute(8));
        Guesses::new(GuessRates { per_address, per_account })
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    /// The lanes of wrong passwords that are answered, of a hundred.
    fn wrong(guesses: &Guesses, user: &str, from: &str, last: Option<Timestamp>) -> Vec<Lane> {
        let guess = guesses.guess(user, from.parse().unwrap(), last, now());
        let lanes = (0..100).map_while(|_| {
            let lane = guess.check(now()).ok();
            guess.was(lane.is_none(), now());
            lane
        });
        lanes.collect()
    }

    #[test]
    fn a_crowd_has_the_limit_of_the_account_and_each_of_it_a_few_tries_in_the_slow_lane() {
        let guesses = guesses();
        let (free, slow) = (Lane::Free, Lane::Slow);
        assert_eq!(wrong(&guesses, "alice", "198.51.100.1", None), [free; 5]);
        assert_eq!(wrong(&guesses, "alice", "198.51.100.2", None), [free, free, free, slow, slow]);
        for number in 3..50 {
            assert_eq!(wrong(&guesses, "alice", &format!("198.51.100.{number}"), None), [slow; 3]);
        }
        // A minute later its addresses have no more than the account's limit has.
        let later = now() + SignedDuration::from_mins(3);
        let answered = (3..50).filter(|number| {
            let guess = guesses.guess("alice", format!("198.51.100.{number}").parse().unwrap(), None, later);
            let is_answered = guess.check(later).is_ok();
            guess.was(!is_answered, later);
            is_answered
        });
        assert_eq!(answered.count(), 8);
        assert_eq!(wrong(&guesses, "bob", "198.51.100.51", None), [free; 5]);
    }

    #[test]
    fn where_one_signed_in_lately_nobody_else_is_in_the_way() {
        let guesses = guesses();
        for from in ["198.51.100.1", "198.51.100.2", "192.0.2.1"] {
            wrong(&guesses, "bob", from, None);
            wrong(&guesses, "alice", from, None);
        }
        assert!(wrong(&guesses, "alice", "192.0.2.1", None).is_empty());
        assert!(wrong(&guesses, "alice", "192.0.2.1", Some(now() - KNOWN_FOR)).is_empty(), "too long ago");
        let lately = Some(now() - SignedDuration::from_hours(24));
        assert_eq!(wrong(&guesses, "alice", "192.0.2.1", lately), [Lane::Free; 5], "its own wrong ones count");
    }

    #[test]
    fn no_crowd_fills_the_memory() {
        let guesses = guesses();
        for number in 0..300_000_u32 {
            guesses.guess(&number.to_string(), IpAddr::V4(number.into()), None, now()).was(false, now());
        }
        let memory = guesses.memory();
        assert!(memory.addresses.len() <= REMEMBERED && memory.accounts.len() <= REMEMBERED);
    }
}
