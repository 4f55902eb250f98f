//! Letting clients in by name and password, from a password file that may change while the registry serves.
//!
//! bcrypt is slow on purpose and a client sends its password with each of a pull's many requests: a good answer is
//! remembered for a minute, under a keyed hash, until the file changes. Must not read the file: `start.rs` does.

use super::admission::Credentials;
use super::refusal::{CredentialFault, Refusal};
use crate::model::htpasswd::PasswordFile;
use aws_lc_rs::hmac;
use moka::sync::Cache;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a good answer is remembered.
const REMEMBERED: Duration = Duration::from_mins(1);

/// Good answers remembered at once.
const MOST_REMEMBERED: u64 = 1000;

/// Who waits longer for a check is told to come again.
const PATIENCE: Duration = Duration::from_secs(10);

/// The people of a password file.
pub struct Passwords {
    /// `None` while the file cannot be read: then nobody is let in.
    book: RwLock<Option<Arc<Book>>>,
    /// As many checks at once as there are cores.
    checks: Arc<Semaphore>,
}

/// One state of the file, with what is remembered of it.
struct Book {
    file: PasswordFile,
    key: hmac::Key,
    good: Cache<Vec<u8>, ()>,
}

impl Passwords {
    /// Lets nobody in yet.
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { book: RwLock::new(None), checks: Arc::new(Semaphore::new(cores)) }
    }

    /// From now on the file reads so. Everything remembered is forgotten.
    pub fn replace(&self, content: &[u8]) {
        let (file, complaints) = PasswordFile::parse(&String::from_utf8_lossy(content));
        for complaint in complaints {
            tracing::warn!("password file: {complaint}");
        }
        let mut secret = [0; 32];
        let book = aws_lc_rs::rand::fill(&mut secret).ok().map(|()| {
            let good = Cache::builder().max_capacity(MOST_REMEMBERED).time_to_live(REMEMBERED).build();
            Arc::new(Book { file, key: hmac::Key::new(hmac::HMAC_SHA256, &secret), good })
        });
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = book;
    }

    /// From now on nobody is let in: the file cannot be read.
    pub fn close(&self) {
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The name of whoever sent these credentials, if the password is theirs.
    pub(super) async fn admit(&self, credentials: &Credentials<'_>) -> Result<String, Refusal> {
        let refused = |fault| Refusal::Unauthorized { fault, scopes: Vec::new() };
        let Credentials::Password { user, password } = credentials else {
            return Err(refused(CredentialFault::Missing));
        };
        let book = self.book.read().unwrap_or_else(PoisonError::into_inner).clone();
        let book = book.ok_or_else(|| io::Error::other("the password file cannot be read, so nobody is let in"))?;
        let proof = book.proof(user, password);
        if book.good.contains_key(&proof) {
            return Ok(user.clone());
        }
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.checks).acquire_owned()).await;
        let turn = turn.map_err(|_| Refusal::Busy)?.map_err(io::Error::other)?;
        // A client asks for several layers at once, and the first check answers for all.
        if book.good.contains_key(&proof) {
            return Ok(user.clone());
        }
        if !check(&book.file, user, password, turn).await? {
            return Err(refused(CredentialFault::Invalid));
        }
        book.good.insert(proof, ());
        Ok(user.clone())
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Book {
    /// Stands for a name and a password without telling either.
    fn proof(&self, user: &str, password: &str) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&(user.len() as u64).to_be_bytes());
        context.update(user.as_bytes());
        context.update(password.as_bytes());
        context.sign().as_ref().to_vec()
    }
}

/// The same work for a name that is not in the file. The turn ends with the work, also when the client has gone.
async fn check(file: &PasswordFile, user: &str, password: &str, turn: OwnedSemaphorePermit) -> io::Result<bool> {
    let hash = file.hash_of(user);
    let Some(compared) = hash.or_else(|| file.decoy()).map(str::to_owned) else { return Ok(false) };
    let (is_known, password) = (hash.is_some(), password.to_owned());
    let checking = move || {
        let _turn = turn;
        bcrypt::verify(password, &compared).unwrap_or(false) && is_known
    };
    tokio::task::spawn_blocking(checking).await.map_err(io::Error::other)
}
