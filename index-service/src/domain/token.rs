//! Issuing registry tokens: what is asked for, cut down to what the subject holds.

use super::Index;
use super::error::Refusal;
use super::user::{Credentials, SignedIn};
use crate::model::access_token::Limits;
use crate::model::decision::Decision;
use crate::model::{Origin, Place, Role, Subject};
use jiff::Timestamp;
use shared::revocations::Position;
use shared::{Access, Action, Claims, RepositoryName, ResourceType, Scope};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Seconds by which a token is valid before it was issued, for registries whose clock is behind.
const HEAD_START: u64 = 30;

/// Scopes in one request.
const MAX_SCOPES: usize = 64;

/// Characters of all names in one request: a token with more would not fit in a header of 8 KiB.
const MAX_NAMES: usize = 4096;

/// The one resource of the registry itself.
const CATALOG: &str = "catalog";

/// A token request's parameters, as they came; each may be there several times.
#[derive(Debug, Default)]
pub struct TokenRequest {
    /// The `service` parameters.
    pub services: Vec<String>,
    /// The `scope` parameters, each of them with one or several scopes.
    pub scopes: Vec<String>,
}

/// A token with what clients want to know about it.
pub struct IssuedToken {
    /// The token.
    pub token: String,
    /// Seconds it lives.
    pub expires_in: u64,
    /// When it was issued, in whole seconds.
    pub issued_at: Timestamp,
    /// The scopes granted.
    pub scope: String,
}

impl Index {
    /// A token for the account of `credentials`, whose client is at `from`. That less is granted than asked for, or nothing, is no error.
    pub async fn issue_token(
        &self,
        credentials: Credentials,
        from: Option<IpAddr>,
        request: &TokenRequest,
        now: Timestamp,
    ) -> Result<IssuedToken, Refusal> {
        self.check_service(&request.services)?;
        let scopes = parse_scopes(&request.scopes)?;
        let signed_in = self.sign_in(credentials, from, now).await?;
        let (subject, token, credential) = match signed_in {
            Some(SignedIn { owner, token, credential, .. }) => (owner.subject(), token, credential),
            None => (Subject::anonymous(), None, None),
        };
        let subject = subject.at(Origin::Client(from));
        let limits = token.map(|token| token.limits).unwrap_or_default();
        let asked: Vec<Scope> = scopes.clone();
        let (access, as_of) = self.access(&subject, &limits, scopes).await?;
        let issued_at = u64::try_from(now.as_second()).unwrap_or_default();
        let claims = Claims {
            iss: self.identity.issuer.clone(),
            sub: subject.as_str().to_owned(),
            aud: self.identity.service.clone(),
            exp: issued_at + self.token_lifetime,
            nbf: issued_at.saturating_sub(HEAD_START),
            iat: issued_at,
            jti: uuid::Uuid::new_v4().to_string(),
            credential,
            as_of,
            access,
        };
        let granted = granted_scope(&claims.access);
        let is_all = asked.iter().zip(&claims.access).all(|(asked, held)| asked.actions.is_subset(&held.actions));
        if !is_all {
            let decision = Decision {
                id: claims.jti.clone(),
                subject,
                address: from,
                asked: asked.iter().map(Scope::to_string).collect::<Vec<_>>().join(" "),
                granted: granted.clone(),
                decided_at: now,
            };
            self.decisions.note(decision).await;
        }
        Ok(IssuedToken {
            token: self.signer.sign(&claims, now)?,
            expires_in: self.token_lifetime,
            issued_at: Timestamp::from_second(now.as_second()).unwrap_or(now),
            scope: granted,
        })
    }

    /// A token is for our registry or for none: never for whatever audience somebody names.
    fn check_service(&self, services: &[String]) -> Result<(), Refusal> {
        match services {
            [] => Ok(()),
            [service] if *service == self.identity.service => Ok(()),
            [_] => Err(Refusal::invalid("this service is not known here")),
            _ => Err(Refusal::invalid("one service at a time")),
        }
    }

    /// One entry for each scope asked for, and where the feed of revocations stood when they were true.
    async fn access(
        &self,
        subject: &Subject,
        limits: &Limits,
        scopes: Vec<Scope>,
    ) -> Result<(Vec<Access>, Position), Refusal> {
        let names: Vec<Option<RepositoryName>> = scopes.iter().map(repository_name).collect();
        let wanted: Vec<RepositoryName> = names.iter().flatten().cloned().collect();
        let (places, as_of) = self.database.places(subject, &wanted).await?;
        let mut places = places.into_iter();
        let access = scopes.into_iter().zip(names).map(|(scope, name)| match name {
            Some(name) => repository_access(scope, places.next().as_ref(), limits.most(&name)),
            None => other_access(scope, limits),
        });
        Ok((access.collect(), as_of))
    }
}

fn parse_scopes(parameters: &[String]) -> Result<Vec<Scope>, Refusal> {
    let count: usize = parameters.iter().map(|parameter| parameter.split_whitespace().count()).sum();
    if count > MAX_SCOPES {
        return Err(Refusal::invalid("a token has at most 64 scopes"));
    }
    let mut scopes = Scope::parse_all(parameters.iter().map(String::as_str));
    // What cannot exist is not granted and not repeated: a token says nothing that a client made up.
    scopes.retain(|scope| match scope.resource {
        ResourceType::Repository => RepositoryName::parse(&scope.name).is_ok(),
        ResourceType::Registry => scope.name == CATALOG,
    });
    if scopes.iter().map(|scope| scope.name.len()).sum::<usize>() > MAX_NAMES {
        return Err(Refusal::invalid("the scopes' names are too long for one token; ask for fewer at once"));
    }
    Ok(scopes)
}

/// The repository that `scope` names, if it is one that can be.
fn repository_name(scope: &Scope) -> Option<RepositoryName> {
    (scope.resource == ResourceType::Repository).then(|| RepositoryName::parse(&scope.name).ok())?
}

/// The id stands only beside a granted action: it would tell that the repository exists.
fn repository_access(scope: Scope, place: Option<&Place>, most: Option<Role>) -> Access {
    let held = place.map(|place| place.granted(&scope.actions)).unwrap_or_default();
    let open = most.map(Role::actions).unwrap_or_default();
    let actions: BTreeSet<Action> = held.intersection(&open).copied().collect();
    let id = place.filter(|_| !actions.is_empty()).and_then(Place::repository_id).map(str::to_owned);
    Access { resource: scope.resource, name: scope.name, actions, id }
}

/// Everybody may list and search, since each is shown only what is for its eyes; but not with a token that opens less.
/// Nothing else is granted.
fn other_access(scope: Scope, limits: &Limits) -> Access {
    let held = match (scope.resource, scope.name.as_str()) {
        (ResourceType::Registry, CATALOG) if limits.0.is_empty() => BTreeSet::from([Action::Search, Action::All]),
        _ => BTreeSet::new(),
    };
    let actions = scope.actions.intersection(&held).copied().collect();
    Access { resource: scope.resource, name: scope.name, actions, id: None }
}

/// What was granted, in the words of scopes.
fn granted_scope(access: &[Access]) -> String {
    let granted = access.iter().filter(|entry| !entry.actions.is_empty());
    let scopes: Vec<String> = granted
        .map(|entry| {
            let scope = Scope { resource: entry.resource, name: entry.name.clone(), actions: entry.actions.clone() };
            scope.to_string()
        })
        .collect();
    scopes.join(" ")
}
