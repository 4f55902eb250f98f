//! `/api/v1/orgs/{org}/members`: who belongs to an organisation.

use super::auth::Caller;
use super::clock::now;
use super::error::Failure;
use super::json::{List, PageQuery};
use crate::domain::Index;
use crate::model::{Member, MemberRole};
use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::NamespaceName;

/// A member as it is shown.
#[derive(Serialize)]
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    role: MemberRole,
}

/// `GET /orgs/{org}/members`
pub async fn list(
    caller: Caller,
    index: Data<Index>,
    organisation: Path<NamespaceName>,
    query: Query<PageQuery>,
) -> Result<List<MemberBody>, Failure> {
    Ok(List::of(index.members(&caller.0, &organisation, &query.page()?).await?))
}

/// `PUT /orgs/{org}/members/{user}`
pub async fn put(
    caller: Caller,
    index: Data<Index>,
    path: Path<(NamespaceName, NamespaceName)>,
    body: Json<Membership>,
) -> Result<HttpResponse, Failure> {
    let (organisation, user) = path.into_inner();
    let member = index.put_member(&caller.0, &organisation, &user, body.role, now()).await?;
    Ok(HttpResponse::Ok().json(MemberBody::from(member)))
}

/// `DELETE /orgs/{org}/members/{user}`
pub async fn delete(
    caller: Caller,
    index: Data<Index>,
    path: Path<(NamespaceName, NamespaceName)>,
) -> Result<HttpResponse, Failure> {
    let (organisation, user) = path.into_inner();
    index.delete_member(&caller.0, &organisation, &user).await?;
    Ok(HttpResponse::NoContent().finish())
}
