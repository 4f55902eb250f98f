//! Who is let in, to what: a request's credentials against the repository and the actions it needs.
//!
//! Must not judge: with an index the list of actions is the token's, true and false are the index's (`by_token.rs`).
//! Without one whoever is let in may do everything that the policy leaves.

use super::by_token::{Confirmed, Tokens};
use super::passwords::Passwords;
use super::refusal::{CredentialFault, Refusal};
use super::{Registry, Repository};
use crate::model::upload::{Opener, UploadId};
use crate::store::index::Index;
use jiff::Timestamp;
use shared::moves::MoveRequest;
use shared::{Action, RepositoryName};
use std::net::IpAddr;
use std::sync::Arc;

/// The ways of letting clients in.
pub enum Admission {
    /// By registry tokens that an index confirms.
    Tokens(Box<Tokens>),
    /// By name and password; who is let in may do everything.
    Passwords(Arc<Passwords>),
    /// Everybody, whatever credentials they send.
    Open,
}

/// What a request says about its sender.
#[derive(Default)]
pub enum Credentials<'a> {
    /// Nothing that can be read.
    #[default]
    None,
    /// A registry token.
    Token {
        /// As it came.
        text: &'a str,
        /// The client's address; `None` if it is not known.
        from: Option<IpAddr>,
    },
    /// A name and a password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
}

/// Leave to use a repository.
pub struct Permit {
    /// The repository.
    pub repository: Repository,
    /// The account; empty for an anonymous client.
    pub subject: String,
    /// The token that gives the leave; `None` where no tokens are asked for.
    confirmed: Option<Confirmed>,
}

impl Admission {
    /// The index, where one decides.
    pub(super) fn index(&self) -> Option<&dyn Index> {
        match self {
            Self::Tokens(tokens) => Some(tokens.index()),
            Self::Passwords(_) | Self::Open => None,
        }
    }
}

impl Permit {
    /// Why its token does not do where more is needed.
    pub(super) fn insufficient(&self) -> CredentialFault {
        self.confirmed.as_ref().map_or(CredentialFault::Insufficient { decision: None }, Confirmed::insufficient)
    }

    /// Who opens an upload by this leave `now`.
    pub(super) fn opener(&self, now: Timestamp) -> Opener {
        let token = self.confirmed.as_ref().map(|confirmed| confirmed.opening(now));
        Opener { subject: self.subject.clone(), repository_id: self.repository_id().to_owned(), token }
    }

    /// Whether an upload was opened by the client of this leave.
    pub(super) fn opened(&self, opener: &Opener) -> bool {
        opener.is(&self.subject, self.repository_id())
    }

    fn repository_id(&self) -> &str {
        self.repository.id.as_deref().unwrap_or_default()
    }

    /// Whether this client may pull from every repository: where no tokens are asked for, whoever is let in may.
    pub fn pulls_all(&self) -> bool {
        self.confirmed.is_none()
    }

    /// Every repository that this client may pull from by its very token, the permit's own first; for mounts that name no
    /// source.
    pub fn all_pullable(&self) -> Vec<Repository> {
        let others = self.confirmed.iter().flat_map(|confirmed| {
            let listed = confirmed.repositories().filter(|name| **name != self.repository.name);
            listed.filter_map(|name| Some(Repository { name: name.clone(), id: Some(confirmed.pullable(name)?) }))
        });
        std::iter::once(self.repository.clone()).chain(others).collect()
    }

    /// Whether the client asked for rights on `name` when it got its token; it need not where there are no tokens.
    pub fn mentions(&self, name: &RepositoryName) -> bool {
        self.confirmed.as_ref().is_none_or(|confirmed| confirmed.mentions(name))
    }
}

impl Registry {
    /// Lets in whoever has any good credentials: the answer to `GET /v2/`.
    pub async fn admit_anyone(&self, credentials: &Credentials<'_>, now: Timestamp) -> Result<(), Refusal> {
        match &self.parts.admission {
            Admission::Tokens(tokens) => tokens.admit_anyone(credentials, now).await,
            Admission::Passwords(passwords) => passwords.admit(credentials).await.map(drop),
            Admission::Open => Ok(()),
        }
    }

    /// Admits to the catalog. Returns the subject whose view of it is meant.
    pub async fn admit_to_catalog(&self, credentials: &Credentials<'_>, now: Timestamp) -> Result<String, Refusal> {
        match &self.parts.admission {
            Admission::Tokens(tokens) => tokens.admit_to_catalog(credentials, now).await,
            Admission::Passwords(passwords) => passwords.admit(credentials).await,
            Admission::Open => Ok(String::new()),
        }
    }

    /// Admits to a repository that exists, for every one of `actions`; they are also what a refused client is told to ask
    /// for.
    pub async fn admit(
        &self,
        credentials: &Credentials<'_>,
        name: &RepositoryName,
        actions: &[Action],
        now: Timestamp,
    ) -> Result<Permit, Refusal> {
        let confirmed = match &self.parts.admission {
            Admission::Tokens(tokens) => tokens.rights(credentials, name, actions, now).await?,
            Admission::Passwords(passwords) => return Ok(without_index(name, passwords.admit(credentials).await?)),
            Admission::Open => return Ok(without_index(name, String::new())),
        };
        let unknown = || Refusal::RepositoryUnknown(name.clone());
        let id = confirmed.id_of(name).ok_or_else(unknown)?.to_owned();
        // Content of an earlier owner of the name, and content that no index knows, are nobody's.
        if !self.storage().holds(name, &id).await? {
            return Err(unknown());
        }
        Ok(with_index(name, id, confirmed))
    }

    /// The same for a write, which may be the first one: then the index allocates the name, and storage takes its id.
    pub async fn admit_writer(
        &self,
        credentials: &Credentials<'_>,
        name: &RepositoryName,
        now: Timestamp,
    ) -> Result<Permit, Refusal> {
        let actions = [Action::Pull, Action::Push];
        let Admission::Tokens(tokens) = &self.parts.admission else {
            let permit = self.admit(credentials, name, &actions, now).await?;
            self.require_writable()?;
            self.make_repository(name).await?;
            return Ok(permit);
        };
        let confirmed = tokens.rights(credentials, name, &actions, now).await?;
        self.require_writable()?;
        let id = match confirmed.id_of(name) {
            Some(id) => id.to_owned(),
            None => tokens.allocate(name, &confirmed).await?,
        };
        let mut there = self.storage().repository_id(name).await?;
        if there.is_none() {
            there = self.claim_name(name, &id).await?;
        }
        if there.as_ref() != Some(&id) {
            return Err(Refusal::Denied(format!(
                "storage still holds what an earlier repository {name} left; an administrator must remove it first"
            )));
        }
        Ok(with_index(name, id, confirmed))
    }

    /// Admits to an upload of a repository that exists. Whoever opened it may go on when the time of its token is over: a
    /// client cannot get another one in the middle of a body.
    pub async fn admit_to_upload(
        &self,
        credentials: &Credentials<'_>,
        name: &RepositoryName,
        id: Option<UploadId>,
        now: Timestamp,
    ) -> Result<Permit, Refusal> {
        let refused = match self.admit(credentials, name, &[Action::Pull, Action::Push], now).await {
            Err(refused @ Refusal::Unauthorized { fault: CredentialFault::Invalid, .. }) => refused,
            other => return other,
        };
        let (Admission::Tokens(tokens), Some(id)) = (&self.parts.admission, id) else { return Err(refused) };
        let place = name.clone();
        let Some(state) = self.storage().run(move |storage| storage.upload_state(&place, id)).await? else {
            return Err(refused);
        };
        let Some(confirmed) = tokens.outlived(credentials, name, &state.opener, now).await? else {
            return Err(refused);
        };
        let repository_id = state.opener.repository_id;
        if !self.storage().holds(name, &repository_id).await? {
            return Err(refused);
        }
        Ok(with_index(name, repository_id, confirmed))
    }

    /// The same, to write it.
    pub async fn admit_resumer(
        &self,
        credentials: &Credentials<'_>,
        name: &RepositoryName,
        id: Option<UploadId>,
        now: Timestamp,
    ) -> Result<Permit, Refusal> {
        let permit = self.admit_to_upload(credentials, name, id, now).await?;
        self.require_writable()?;
        Ok(permit)
    }

    /// Admits to a delete.
    pub async fn admit_deleter(
        &self,
        credentials: &Credentials<'_>,
        name: &RepositoryName,
        now: Timestamp,
    ) -> Result<Permit, Refusal> {
        let permit = self.admit(credentials, name, &[Action::Delete], now).await?;
        self.require_writable()?;
        Ok(permit)
    }

    /// `name` as a repository that the client of `permit` may pull from too, if it may; for mounts.
    pub(super) async fn pullable(&self, permit: &Permit, name: &RepositoryName) -> Result<Option<Repository>, Refusal> {
        let source = |id| Repository { name: name.clone(), id };
        Ok(match (&self.parts.admission, &permit.confirmed) {
            (Admission::Tokens(tokens), Some(confirmed)) => {
                tokens.pullable(confirmed, name).await?.map(|id| source(Some(id)))
            }
            _ => Some(source(None)),
        })
    }

    /// Whether the client of `permit` may pull from `source` at this moment: the index is asked again, whatever it said
    /// when the request came. May be called under a lock.
    pub(super) async fn still_pulls(&self, permit: &Permit, source: &Repository) -> Result<bool, Refusal> {
        match (&self.parts.admission, &permit.confirmed) {
            (Admission::Tokens(tokens), Some(confirmed)) => {
                let now = tokens.confirmed_again(confirmed).await?;
                Ok(source.id.is_some() && now.is_some_and(|now| now.pullable(&source.name) == source.id))
            }
            (Admission::Tokens(_), None) => Ok(false),
            (Admission::Passwords(_) | Admission::Open, _) => Ok(true),
        }
    }

    /// Gives the name to the repository `id` if nothing lies there, and tells whose it is now.
    async fn claim_name(&self, name: &RepositoryName, id: &str) -> Result<Option<String>, Refusal> {
        let lock = self.share_name(name).await?;
        let (claimed, id) = (name.clone(), id.to_owned());
        let claim = self.storage().run(move |storage| {
            let _lock = lock;
            // It was put away or renamed since the index confirmed the token.
            if storage.has_left(&claimed, &id)? {
                return Ok(Err(Refusal::RepositoryUnknown(claimed)));
            }
            storage.claim_name(&claimed, &id).map(Ok)
        });
        claim.await?
    }

    /// The wish about a repository in storage that a token of the index's own carries.
    pub async fn admit_wish(&self, credentials: &Credentials<'_>) -> Result<MoveRequest, Refusal> {
        match &self.parts.admission {
            Admission::Tokens(tokens) => tokens.wish(credentials).await,
            Admission::Passwords(_) | Admission::Open => {
                Err(Refusal::Unauthorized { fault: CredentialFault::Missing, scopes: Vec::new() })
            }
        }
    }
}

fn with_index(name: &RepositoryName, id: String, confirmed: Confirmed) -> Permit {
    let repository = Repository { name: name.clone(), id: Some(id) };
    Permit { repository, subject: confirmed.subject().to_owned(), confirmed: Some(confirmed) }
}

fn without_index(name: &RepositoryName, subject: String) -> Permit {
    Permit { repository: Repository { name: name.clone(), id: None }, subject, confirmed: None }
}
