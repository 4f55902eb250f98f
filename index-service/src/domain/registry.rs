//! What registries ask and tell: the index's side of `shared::internal`, over HTTP or called in process.
//!
//! Every answer is decided by the rows as they stand, never by what a token or a registry remembers.

use super::Index;
use super::error::Refusal;
use super::repositories::why_not;
use crate::model::repository::RepositoryChange;
use crate::model::{Origin, Place, Role, Subject};
use crate::store::Taken;
use jiff::Timestamp;
use shared::internal::{
    AllocateAnswer, AllocateRequest, CatalogAnswer, CatalogRequest, Change, CommitAnswer, CommitRequest,
    IntrospectAnswer, IntrospectRequest, JudgeRequest, TurnAnswer, Verdict,
};
use shared::revocations::FeedAnswer;
use shared::{Access, Action, Claims, Networks, Reach, RepositoryName, ResourceType};
use std::collections::BTreeMap;

/// Names on a page of the catalog at most.
const MAX_CATALOG: u32 = 1000;

/// Who carries a registry token.
pub(super) struct Bearer {
    pub subject: Subject,
    /// When the access token that it was issued for ends by itself.
    pub until: Option<Timestamp>,
    /// From where that one may be used.
    pub networks: Networks,
    /// The number of the feed of revocations as of which this is so.
    as_of: u64,
}

impl Index {
    /// Whether every right that a token lists is still held by its subject, on the same repositories.
    pub async fn introspect(&self, request: &IntrospectRequest, now: Timestamp) -> Result<IntrospectAnswer, Refusal> {
        let Some(claims) = self.signer.verify(&request.token, &self.identity, now) else {
            return Ok(IntrospectAnswer::inactive());
        };
        let Some(bearer) = self.bearer(&claims, now).await? else { return Ok(IntrospectAnswer::inactive()) };
        let Some((entries, names)) = granted_entries(&claims.access) else {
            return Ok(IntrospectAnswer::inactive());
        };
        let (places, _) = self.database.places(&bearer.subject, &names).await?;
        if !entries.iter().zip(&places).all(|(entry, place)| still_holds(entry, place)) {
            return Ok(IntrospectAnswer::inactive());
        }
        let mut reach = Reach { token: bearer.networks, repositories: BTreeMap::new() };
        for name in &names {
            let networks = self.database.repository_networks(&bearer.subject, name).await?;
            if !networks.is_empty() {
                reach.repositories.insert(name.clone(), networks);
            }
        }
        let ids = names.into_iter().zip(&places);
        let repositories: BTreeMap<_, _> =
            ids.filter_map(|(name, place)| Some((name, place.repository_id()?.to_owned()))).collect();
        // The first second at which it is over: never too early.
        let until = bearer.until.map(|until| until.as_second() + i64::from(until.subsec_nanosecond() > 0));
        Ok(IntrospectAnswer { active: true, repositories, reach, as_of: bearer.as_of, until })
    }

    /// Allocates a name for whoever pushes to it first, or tells its id.
    pub async fn allocate(&self, request: &AllocateRequest, now: Timestamp) -> Result<AllocateAnswer, Refusal> {
        let subject = Subject::named(&request.subject);
        let name = &request.repository;
        let mut place = self.database.place(&subject, name).await?;
        if place.is_free() && place.creator_role().is_some() {
            (place, _) = self.make_repository(&subject, name, &RepositoryChange::default(), now).await?;
        }
        Ok(match place.repository() {
            Some((repository, role)) if role >= Role::Write => AllocateAnswer::Allocated { id: repository.id.clone() },
            Some(_) => AllocateAnswer::Refused { reason: role_needed(Role::Write, name) },
            None => AllocateAnswer::Refused { reason: why_not(&place, name).to_string() },
        })
    }

    /// Whether a change may be made, with its number.
    pub async fn judge(&self, request: &JudgeRequest) -> Result<Verdict, Refusal> {
        let name = &request.repository;
        // In one transaction: a right that was taken away before the number was given is not used after it.
        let (place, number) = self.database.place_and_turn(&Subject::named(&request.subject), name).await?;
        if let Some(reason) = objection(&place, request) {
            return Ok(Verdict::Refused { reason });
        }
        Ok(Verdict::Granted { number: checked(number)? })
    }

    /// A number for whoever only reports what storage holds.
    pub async fn turn(&self) -> Result<TurnAnswer, Refusal> {
        Ok(TurnAnswer { number: checked(self.database.next_turn().await?)? })
    }

    /// Takes what storage holds now. Never refused: what cannot be placed is named as drift.
    pub async fn commit(&self, told: &CommitRequest, now: Timestamp) -> Result<CommitAnswer, Refusal> {
        let name = &told.repository;
        let drift = match self.database.commit(told, now).await? {
            Taken::NoSuchRepository => {
                vec![format!("{name}: no repository of this name has the id {}", told.repository_id)]
            }
            Taken::AllBut(late) => {
                late.iter().map(|what| format!("{name}: a later report on {what} was taken before")).collect()
            }
        };
        for what in &drift {
            tracing::warn!(number = told.number, "drift: {what}");
        }
        Ok(CommitAnswer { drift })
    }

    /// A page of the names that a subject may see.
    pub async fn catalog(&self, request: &CatalogRequest) -> Result<CatalogAnswer, Refusal> {
        let limit = request.limit.min(MAX_CATALOG);
        let after = request.after.as_deref().unwrap_or_default();
        let subject = Subject::named(&request.subject).at(Origin::Client(request.from));
        let mut repositories = self.database.catalog(&subject, after, limit + 1).await?;
        let more = repositories.len() > limit as usize;
        repositories.truncate(limit as usize);
        Ok(CatalogAnswer { repositories, more })
    }

    /// Who carries a registry token, if it is not void, its subject may do anything at all, and the access token it was
    /// issued for is still good.
    pub(super) async fn bearer(&self, claims: &Claims, now: Timestamp) -> Result<Option<Bearer>, Refusal> {
        // Before everything else is read: what is revoked meanwhile has a larger number, and comes by the feed.
        let feed = self.database.revocations(&claims.as_of).await?;
        if is_void(claims, &feed) {
            return Ok(None);
        }
        let (mut until, mut networks) = (None, Networks::default());
        if let Some(credential) = &claims.credential {
            let Some((id, mark)) = credential.split_once('.') else { return Ok(None) };
            let reach = self.database.access_token_reach(&claims.sub, id, mark).await?;
            let Some((end, allowed)) = reach else { return Ok(None) };
            if end.is_some_and(|end| end <= now) {
                return Ok(None);
            }
            (until, networks) = (end, allowed);
        }
        let subject = Subject::named(&claims.sub);
        let bearer = Bearer { subject, until, networks, as_of: feed.position.number };
        Ok(self.is_good(&bearer.subject).await?.then_some(bearer))
    }

    /// Whether the subject is the anonymous client, or an account that may do anything at all.
    async fn is_good(&self, subject: &Subject) -> Result<bool, Refusal> {
        if subject.is_anonymous() {
            return Ok(true);
        }
        Ok(self.database.is_good(subject.as_str()).await?)
    }
}

fn checked(number: i64) -> Result<u64, Refusal> {
    u64::try_from(number).map_err(|error| Refusal::Fault(format!("the counter is wrong: {error}")))
}

/// The entries that grant something on a repository, with the repositories' names; `None` if one has no name.
fn granted_entries(access: &[Access]) -> Option<(Vec<&Access>, Vec<RepositoryName>)> {
    let granted = |entry: &&Access| entry.resource == ResourceType::Repository && !entry.actions.is_empty();
    let entries: Vec<&Access> = access.iter().filter(granted).collect();
    let names: Result<_, _> = entries.iter().map(|entry| RepositoryName::parse(&entry.name)).collect();
    Some((entries, names.ok()?))
}

/// Whether the token is of another database than this one, or a row of the feed since then names it. Of a repository that
/// was allocated since, its row in the database says enough.
fn is_void(claims: &Claims, feed: &FeedAnswer) -> bool {
    let is_known = claims.as_of.incarnation == feed.position.incarnation && claims.as_of.number <= feed.position.number;
    !is_known || feed.more || feed.revocations.iter().any(|row| row.revoked.names(claims, &BTreeMap::new()))
}

/// Whether the rows still give what `entry` grants, on the very repository it was granted on. An entry without id was
/// granted on a free name, which may have been allocated since.
fn still_holds(entry: &Access, place: &Place) -> bool {
    let is_same = entry.id.is_none() || entry.id.as_deref() == place.repository_id();
    is_same && entry.actions.is_subset(&place.actions())
}

/// Why the change may not be made, if so.
fn objection(place: &Place, request: &JudgeRequest) -> Option<String> {
    let name = &request.repository;
    let needed = Role::least_for(match request.change {
        Change::Put { .. } => Action::Push,
        Change::DeleteTag { .. } | Change::DeleteManifest { .. } => Action::Delete,
    });
    match place.repository() {
        Some((repository, _)) if repository.id != request.repository_id => {
            Some(format!("repository {name} is another one now; push to it again from the start"))
        }
        Some((_, role)) if role < needed => Some(role_needed(needed, name)),
        Some(_) => None,
        None => Some(why_not(place, name).to_string()),
    }
}

fn role_needed(needed: Role, name: &RepositoryName) -> String {
    Refusal::RoleNeeded { needed, on: name.to_string() }.to_string()
}
