//! `/api/v1/orgs/{org}/members`: who belongs to an organisation.

use super::auth::Caller;
use super::clock::now;
use super::contract::Body;
use super::error::Failure;
use super::json::{List, PageQuery};
use super::query::Asked;
use crate::domain::Index;
use crate::model::{Member, MemberRole};
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::NamespaceName;
use utoipa::ToSchema;

/// A member as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
pub struct MemberBody {
    user: NamespaceName,
    role: MemberRole,
    created_at: Timestamp,
}

impl From<Member> for MemberBody {
    fn from(member: Member) -> Self {
        Self { user: member.account, role: member.role, created_at: member.created_at }
    }
}

/// What a member is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    role: MemberRole,
}

/// A page of an organisation's members.
#[utoipa::path(
    get, path = "/orgs/{org}/members", params(PageQuery), responses((status = 200, body = List<MemberBody>))
)]
pub async fn list(
    caller: Caller,
    index: Data<Index>,
    organisation: Path<NamespaceName>,
    query: Asked<PageQuery>,
) -> Result<List<MemberBody>, Failure> {
    Ok(List::of(index.members(&caller.0, &organisation, &query.0.page()).await?))
}

/// Makes somebody a member, or changes what a member is.
#[utoipa::path(
    put, path = "/orgs/{org}/members/{user}", request_body = Membership, responses((status = 200, body = MemberBody))
)]
pub async fn put(
    caller: Caller,
    index: Data<Index>,
    path: Path<(NamespaceName, NamespaceName)>,
    body: Body<Membership>,
) -> Result<HttpResponse, Failure> {
    let (organisation, user) = path.into_inner();
    let member = index.put_member(&caller.0, &organisation, &user, body.0.role, now()).await?;
    Ok(HttpResponse::Ok().json(MemberBody::from(member)))
}

/// Ends a membership, and those in the organisation's teams.
#[utoipa::path(delete, path = "/orgs/{org}/members/{user}", responses((status = 204)))]
pub async fn delete(
    caller: Caller,
    index: Data<Index>,
    path: Path<(NamespaceName, NamespaceName)>,
) -> Result<HttpResponse, Failure> {
    let (organisation, user) = path.into_inner();
    index.delete_member(&caller.0, &organisation, &user).await?;
    Ok(HttpResponse::NoContent().finish())
}
