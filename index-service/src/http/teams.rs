//! `/api/v1/orgs/{org}/teams`: teams of an organisation.

use super::auth::Caller;
use super::clock::now;
use super::contract::Body;
use super::error::Failure;
use super::json::{List, PageQuery};
use super::query::Asked;
use crate::domain::{Index, TeamPath};
use crate::model::team::{TeamChange, TeamGrant, TeamMember};
use crate::model::{Role, Team};
use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{NamespaceName, RepositoryName};
use utoipa::ToSchema;

/// A team as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Team)]
pub struct TeamBody {
    name: NamespaceName,
    description: String,
    created_at: Timestamp,
}

impl From<Team> for TeamBody {
    fn from(team: Team) -> Self {
        let Team { name, description, created_at } = team;
        Self { name, description, created_at }
    }
}

/// One of a team's members as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = TeamMember)]
pub struct TeamMemberBody {
    user: NamespaceName,
    created_at: Timestamp,
}

impl From<TeamMember> for TeamMemberBody {
    fn from(member: TeamMember) -> Self {
        Self { user: member.account, created_at: member.created_at }
    }
}

/// One of a team's grants as it is shown: on a namespace or on a repository.
#[derive(Serialize, ToSchema)]
#[schema(as = TeamGrant)]
pub struct TeamGrantBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<NamespaceName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<RepositoryName>,
    role: Role,
    created_by: String,
    created_at: Timestamp,
}

impl From<TeamGrant> for TeamGrantBody {
    fn from(grant: TeamGrant) -> Self {
        let (namespace, repository) = grant.on.parts();
        let TeamGrant { role, created_by, created_at, .. } = grant;
        Self { namespace, repository, role, created_by, created_at }
    }
}

/// A team to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTeam {
    #[schema(value_type = NamespaceName)]
    name: String,
    /// One line, of at most 200 characters.
    #[schema(max_length = 200, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$", example = "who builds")]
    description: Option<String>,
}

/// What is to be changed; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchTeam {
    name: Option<NamespaceName>,
    /// One line, of at most 200 characters.
    #[schema(max_length = 200, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$", example = "who builds")]
    description: Option<String>,
}

/// A team's address.
#[derive(Deserialize)]
pub struct OfTeam {
    org: NamespaceName,
    team: NamespaceName,
}

impl From<OfTeam> for TeamPath {
    fn from(of: OfTeam) -> Self {
        Self { organisation: of.org, team: of.team }
    }
}

/// The address of somebody in a team.
#[derive(Deserialize)]
pub struct OfTeamMember {
    org: NamespaceName,
    team: NamespaceName,
    user: NamespaceName,
}

impl From<OfTeamMember> for (TeamPath, NamespaceName) {
    fn from(of: OfTeamMember) -> Self {
        (TeamPath { organisation: of.org, team: of.team }, of.user)
    }
}

/// A page of an organisation's teams, for its members.
#[utoipa::path(get, path = "/orgs/{org}/teams", params(PageQuery), responses((status = 200, body = List<TeamBody>)))]
pub async fn list(
    caller: Caller,
    index: Data<Index>,
    organisation: Path<NamespaceName>,
    query: Asked<PageQuery>,
) -> Result<List<TeamBody>, Failure> {
    Ok(List::of(index.teams(&caller.0, &organisation, &query.0.page()).await?))
}

/// Makes a team that has no members yet, for owners.
#[utoipa::path(post, path = "/orgs/{org}/teams", request_body = NewTeam, responses((status = 201, body = TeamBody)))]
pub async fn create(
    caller: Caller,
    index: Data<Index>,
    organisation: Path<NamespaceName>,
    body: Body<NewTeam>,
) -> Result<HttpResponse, Failure> {
    let NewTeam { name, description } = body.0;
    let team = index.create_team(&caller.0, &organisation, &name, description, now()).await?;
    let location = format!("/api/v1/orgs/{organisation}/teams/{}", team.name);
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(TeamBody::from(team)))
}

/// A team.
#[utoipa::path(get, path = "/orgs/{org}/teams/{team}", responses((status = 200, body = TeamBody)))]
pub async fn show(caller: Caller, index: Data<Index>, of: Path<OfTeam>) -> Result<HttpResponse, Failure> {
    let team = index.team(&caller.0, &of.into_inner().into()).await?;
    Ok(HttpResponse::Ok().json(TeamBody::from(team)))
}

/// Changes a team's name or description. What it holds, it keeps.
#[utoipa::path(
    patch, path = "/orgs/{org}/teams/{team}", request_body = PatchTeam, responses((status = 200, body = TeamBody))
)]
pub async fn change(
    caller: Caller,
    index: Data<Index>,
    of: Path<OfTeam>,
    body: Body<PatchTeam>,
) -> Result<HttpResponse, Failure> {
    let PatchTeam { name, description } = body.0;
    let team = index.change_team(&caller.0, &of.into_inner().into(), TeamChange { name, description }).await?;
    Ok(HttpResponse::Ok().json(TeamBody::from(team)))
}

/// Ends a team, with everything that it was granted.
#[utoipa::path(delete, path = "/orgs/{org}/teams/{team}", responses((status = 204)))]
pub async fn delete(caller: Caller, index: Data<Index>, of: Path<OfTeam>) -> Result<HttpResponse, Failure> {
    index.delete_team(&caller.0, &of.into_inner().into()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A page of a team's members.
#[utoipa::path(
    get, path = "/orgs/{org}/teams/{team}/members", params(PageQuery),
    responses((status = 200, body = List<TeamMemberBody>))
)]
pub async fn list_members(
    caller: Caller,
    index: Data<Index>,
    of: Path<OfTeam>,
    query: Asked<PageQuery>,
) -> Result<List<TeamMemberBody>, Failure> {
    Ok(List::of(index.team_members(&caller.0, &of.into_inner().into(), &query.0.page()).await?))
}

/// Puts a member of the organisation into a team.
#[utoipa::path(put, path = "/orgs/{org}/teams/{team}/members/{user}", responses((status = 200, body = TeamMemberBody)))]
pub async fn put_member(caller: Caller, index: Data<Index>, of: Path<OfTeamMember>) -> Result<HttpResponse, Failure> {
    let (team, user) = of.into_inner().into();
    let member = index.put_team_member(&caller.0, &team, &user, now()).await?;
    Ok(HttpResponse::Ok().json(TeamMemberBody::from(member)))
}

/// Takes somebody out of a team. Anybody may leave.
#[utoipa::path(delete, path = "/orgs/{org}/teams/{team}/members/{user}", responses((status = 204)))]
pub async fn delete_member(
    caller: Caller,
    index: Data<Index>,
    of: Path<OfTeamMember>,
) -> Result<HttpResponse, Failure> {
    let (team, user) = of.into_inner().into();
    index.delete_team_member(&caller.0, &team, &user).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A page of what a team was granted, for those in it and for owners.
#[utoipa::path(
    get, path = "/orgs/{org}/teams/{team}/grants", params(PageQuery),
    responses((status = 200, body = List<TeamGrantBody>))
)]
pub async fn list_grants(
    caller: Caller,
    index: Data<Index>,
    of: Path<OfTeam>,
    query: Asked<PageQuery>,
) -> Result<List<TeamGrantBody>, Failure> {
    Ok(List::of(index.team_grants(&caller.0, &of.into_inner().into(), &query.0.page()).await?))
}
