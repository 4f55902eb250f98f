//! The verbs of the index: each decides, in order, and says no in words.
//!
//! Must not know HTTP, SQL or files; the time is passed in.

mod access_tokens;
mod admin_users;
mod collaborators;
mod content;
mod cursors;
mod decisions;
mod default_grants;
mod error;
mod explain;
mod grants;
mod guesses;
mod idempotency;
mod invitations;
mod key_ring;
mod keys;
mod members;
mod moves;
mod namespaces;
mod networks;
mod organisation_moves;
mod organisations;
mod passwords;
mod registry;
mod reindex;
mod repositories;
mod revocations;
mod robots;
mod search;
mod sessions;
mod sign_up;
mod signing;
mod teams;
mod token;
mod user;

use crate::store::files::DataFolder;
use crate::store::{Database, Moment};
use std::sync::Arc;

pub use access_tokens::{NewAccessToken, Rotation};
pub use cursors::Cursors;
pub use decisions::Decisions;
pub use error::Refusal;
pub use guesses::{GuessRates, Guesses};
pub use invitations::NewInvitation;
pub use key_ring::{KeyRing, new_key};
pub use keys::TokenKeys;
pub use moves::{Mover, Progress};
pub use passwords::{Passwords, given_or_random};
pub use search::{SearchPage, SearchResults};
pub use sessions::Browser;
pub use sign_up::SignUps;
pub use signing::Signer;
pub use teams::TeamPath;
pub use token::{IssuedToken, TokenRequest};
pub use user::{Credentials, PasswordChange, SignedIn};

/// What this index calls itself.
#[derive(Debug)]
pub struct Identity {
    /// Its address for people and clients, without a slash at its end.
    pub public_url: String,
    /// The origin of its pages, as browsers write it.
    pub origin: String,
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The registry its tokens are for: their `aud`, and the `service` of the challenge.
    pub service: String,
    /// Whether its tokens carry the certificate of their key.
    pub x5c: bool,
}

/// The index. Clones share everything; all that matters lies in the database.
#[derive(Clone)]
pub struct Index {
    pub(crate) database: Database,
    pub(crate) folder: DataFolder,
    pub(crate) passwords: Passwords,
    pub(crate) guesses: Guesses,
    pub(crate) signer: Arc<Signer>,
    pub(crate) decisions: Decisions,
    pub(crate) identity: Arc<Identity>,
    /// Seconds a registry token lives. Clients take less than 60 for 60.
    pub(crate) token_lifetime: u64,
    pub(crate) sign_ups: SignUps,
    pub(crate) cursors: Arc<Cursors>,
}

impl Index {
    /// What it calls itself.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What signs the cursors of its lists.
    pub fn cursors(&self) -> &Cursors {
        &self.cursors
    }

    /// Whether it can do its work now.
    pub async fn check(&self) -> Result<(), Refusal> {
        Ok(self.database.check().await?)
    }

    /// This moment, for a change that is to be the next after a look.
    pub async fn moment(&self) -> Result<Moment, Refusal> {
        Ok(self.database.moment().await?)
    }

    /// Closes the database after everything committed; nothing else needs an end.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
