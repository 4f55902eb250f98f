//! Hashing and checking passwords with argon2id, off the async workers and only so many at once.
//!
//! Each run takes 19 MiB and tens of milliseconds: without a bound, signing in would be a way to stop the service.

use super::error::Refusal;
use super::guesses::{Guess, Lane};
use crate::model::password::NewPassword;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use jiff::Timestamp;
use rand::distr::{Alphanumeric, SampleString};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a request waits in each queue: docker gives up on a token after 15 s.
const PATIENCE: Duration = Duration::from_secs(5);

/// Checked where there is no account, so that an unknown name costs the same time. No password has this hash.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlzIQ$\
                      bm9ib2R5IGtub3dzIGEgcGFzc3dvcmQgZm9yIHRoaXM";

/// Characters of a random password: 142 bits.
const RANDOM_LENGTH: usize = 24;

/// The password that was given, or else a random one, which is also returned for whoever is to know it.
pub fn given_or_random(given: Option<String>) -> (NewPassword, Option<String>) {
    if let Some(chosen) = given {
        return (NewPassword::Chosen(chosen), None);
    }
    let random = Alphanumeric.sample_string(&mut rand::rng(), RANDOM_LENGTH);
    (NewPassword::Random(random.clone()), Some(random))
}

/// Hashes and checks, only so many at a time.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// One place: who is in the slow lane waits for it, and only then for a turn.
    slow_lane: Arc<Semaphore>,
}

impl Passwords {
    /// With a turn for each core but one, which is left to those who pull meanwhile.
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let turns = Semaphore::new(cores.saturating_sub(1).max(1));
        Self { turns: Arc::new(turns), slow_lane: Arc::new(Semaphore::new(1)) }
    }

    /// The PHC string of a password for the account `user`. Judging one that was chosen takes its time too.
    pub(super) async fn hash(&self, user: &str, password: NewPassword) -> Result<String, Refusal> {
        let user = user.to_owned();
        self.in_turn(move || {
            let password = password.checked(&user).map_err(Refusal::PasswordRefused)?;
            let hash: Result<PasswordHash, _> = Argon2::default().hash_password(password.as_bytes());
            let hash = hash.map_err(|error| Refusal::Fault(format!("cannot hash a password: {error}")))?;
            Ok(hash.to_string())
        })
        .await?
    }

    /// Whether `password` is the one of `hash`; the same work without a hash, and then never.
    pub(super) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Refusal> {
        self.in_turn(move || is_right(&password, hash.as_deref())).await
    }

    /// The same of what may be a guess, which counts if it is wrong. Whether it may be tried is asked again when its turn has
    /// come: of a crowd that comes at once no more are tried than one for each turn too many, and the rest goes on in the slow lane.
    pub(super) async fn verify_guess(
        &self,
        guess: Guess,
        mut lane: Lane,
        password: String,
        hash: Option<String>,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        loop {
            let place = match lane {
                Lane::Free => None,
                Lane::Slow => Some(place_in(&self.slow_lane).await?),
            };
            let (guess, password, hash) = (guess.clone(), password.clone(), hash.clone());
            let tried = self.in_turn(move || {
                if guess.check(now)? == Lane::Slow && place.is_none() {
                    return Ok::<_, Refusal>(None);
                }
                let is_right = is_right(&password, hash.as_deref());
                guess.was(is_right, now);
                Ok(Some(is_right))
            });
            match tried.await?? {
                Some(is_right) => return Ok(is_right),
                None => lane = Lane::Slow,
            }
        }
    }

    /// Runs `work` on a blocking thread. The turn ends with the work, also when the request is gone before.
    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        let turn = place_in(&self.turns).await?;
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        })
        .await
        .map_err(|error| Refusal::Fault(format!("the password check stopped: {error}")))
    }
}

async fn place_in(queue: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Refusal> {
    let place = tokio::time::timeout(PATIENCE, Arc::clone(queue).acquire_owned()).await;
    place.map_err(|_| Refusal::Overloaded)?.map_err(|error| Refusal::Fault(error.to_string()))
}

fn is_right(password: &str, hash: Option<&str>) -> bool {
    let hash = PasswordHash::new(hash.unwrap_or(NOBODY));
    hash.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_nobody_costs_what_a_real_one_does() {
        let real: PasswordHash = Argon2::default().hash_password(b"some password").unwrap();
        let nobody = PasswordHash::new(NOBODY).unwrap();
        assert_eq!((nobody.algorithm, nobody.version, &nobody.params), (real.algorithm, real.version, &real.params));
        assert_eq!(nobody.hash.map(|hash| hash.len()), real.hash.map(|hash| hash.len()));
    }
}
