//! Guessing passwords is held back, by address and by account, and never in the way of whoever signed in from there lately.
//!
//! Only wrong passwords count. From an address where an account has signed in lately, its wrong ones count for the two of
//! them alone: neither what others guess from there nor what is guessed from elsewhere locks its owner out. Everybody else
//! is held back by what was wrong from the same address, for whatever account, and by what was wrong for the same account,
//! from wherever. An access token is no password: it opens always. All of this is of one process and in memory; what is not
//! remembered is forgiven.

use super::error::Refusal;
use crate::model::rate::{Past, Rate};
use jiff::{SignedDuration, Timestamp};
use quick_cache::unsync::Cache;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Addresses, accounts, and pairs of them that are remembered; some 50 bytes each.
const REMEMBERED: usize = 100_000;

/// How long an account is known at an address where it signed in.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How many wrong passwords a minute are answered at all.
#[derive(Debug, Clone, Copy)]
pub struct GuessRates {
    /// From one address.
    pub per_address: Rate,
    /// For one account, from all addresses where it did not sign in lately.
    pub per_account: Rate,
}

/// What is remembered. Clones share it.
#[derive(Clone)]
pub struct Guesses {
    rates: GuessRates,
    /// Names and addresses are remembered as numbers that nobody outside can aim at.
    hasher: RandomState,
    memory: Arc<Mutex<Memory>>,
}

struct Memory {
    addresses: Cache<u64, Past>,
    accounts: Cache<u64, Past>,
    /// What was wrong for an account that is known at the address.
    pairs: Cache<u64, Past>,
    /// When an account signed in from an address.
    known: Cache<u64, Timestamp>,
}

/// One try to sign in.
pub(super) struct Guess {
    guesses: Guesses,
    address: u64,
    account: u64,
    pair: u64,
}

impl Guesses {
    /// Nothing is remembered yet.
    pub fn new(rates: GuessRates) -> Self {
        let memory = Memory {
            addresses: Cache::new(REMEMBERED),
            accounts: Cache::new(REMEMBERED),
            pairs: Cache::new(REMEMBERED),
            known: Cache::new(REMEMBERED),
        };
        Self { rates, hasher: RandomState::new(), memory: Arc::new(Mutex::new(memory)) }
    }

    /// A try to sign in as `user`, whether or not there is such an account, from `from`.
    pub(super) fn guess(&self, user: &str, from: Option<IpAddr>) -> Guess {
        let from = network(from);
        Guess {
            address: self.hasher.hash_one(from),
            account: self.hasher.hash_one(user),
            pair: self.hasher.hash_one((from, user)),
            guesses: self.clone(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guess {
    /// Whether it may be tried at `now`.
    pub(super) fn check(&self, now: Timestamp) -> Result<(), Refusal> {
        let GuessRates { per_address, per_account } = self.guesses.rates;
        let memory = self.guesses.memory();
        let past = |cache: &Cache<u64, Past>, key| cache.get(key).copied().unwrap_or_default();
        let allowed = if self.is_known(&memory, now) {
            per_address.allows(past(&memory.pairs, &self.pair), now)
        } else {
            let of_address = per_address.allows(past(&memory.addresses, &self.address), now);
            of_address.and_then(|()| per_account.allows(past(&memory.accounts, &self.account), now))
        };
        allowed.map_err(|wait| Refusal::TooManyGuesses(wait.as_secs().unsigned_abs() + 1))
    }

    /// Remembers whether the password was right.
    pub(super) fn was(&self, right: bool, now: Timestamp) {
        let GuessRates { per_address, per_account } = self.guesses.rates;
        let mut memory = self.guesses.memory();
        if right {
            memory.known.insert(self.pair, now);
        } else if self.is_known(&memory, now) {
            note(&mut memory.pairs, self.pair, per_address, now);
        } else {
            note(&mut memory.addresses, self.address, per_address, now);
            note(&mut memory.accounts, self.account, per_account, now);
        }
    }

    fn is_known(&self, memory: &Memory, now: Timestamp) -> bool {
        memory.known.get(&self.pair).is_some_and(|at| now.duration_since(*at) < KNOWN_FOR)
    }
}

fn note(pasts: &mut Cache<u64, Past>, key: u64, rate: Rate, now: Timestamp) {
    let past = pasts.get(&key).copied().unwrap_or_default();
    pasts.insert(key, rate.again(past, now));
}

/// What counts as one address: who has one of IPv6 has the 2^64 beside it too.
pub(super) fn network(from: Option<IpAddr>) -> IpAddr {
    match from.map(|from| from.to_canonical()) {
        Some(IpAddr::V6(from)) => IpAddr::V6(Ipv6Addr::from_bits(from.to_bits() & !u128::from(u64::MAX))),
        Some(from) => from,
        None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guesses() -> Guesses {
        Guesses::new(GuessRates { per_address: Rate(5), per_account: Rate(8) })
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    /// Wrong passwords that are answered, of a hundred.
    fn wrong(guesses: &Guesses, user: &str, from: &str) -> usize {
        let guess = guesses.guess(user, Some(from.parse().unwrap()));
        let answered = (0..100).filter(|_| {
            let answered = guess.check(now()).is_ok();
            if answered {
                guess.was(false, now());
            }
            answered
        });
        answered.count()
    }

    #[test]
    fn an_address_is_what_one_client_has() {
        for (one, other, same) in [
            ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
        ] {
            let guesses = guesses();
            assert_eq!(wrong(&guesses, "alice", one), 5);
            assert_eq!(wrong(&guesses, "bob", other), if same { 0 } else { 5 }, "{one} {other}");
        }
    }

    #[test]
    fn who_signed_in_lately_is_known_for_a_while() {
        let guesses = guesses();
        let home = guesses.guess("alice", Some("192.0.2.1".parse().unwrap()));
        home.was(true, now());
        for from in ["198.51.100.1", "198.51.100.2", "192.0.2.1"] {
            wrong(&guesses, "bob", from);
            wrong(&guesses, "alice", from);
        }
        assert!(home.check(now()).is_err(), "its own wrong ones count");
        let later = now() + SignedDuration::from_mins(1);
        assert!(home.check(later).is_ok());
        let much_later = now() + KNOWN_FOR;
        assert!(!home.is_known(&guesses.memory(), much_later));
    }

    #[test]
    fn no_crowd_fills_the_memory() {
        let guesses = guesses();
        for number in 0..300_000_u32 {
            guesses.guess(&number.to_string(), Some(IpAddr::V4(number.into()))).was(false, now());
        }
        let memory = guesses.memory();
        assert!(memory.addresses.len() <= REMEMBERED && memory.accounts.len() <= REMEMBERED);
    }
}
