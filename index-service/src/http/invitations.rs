//! `/api/v1/orgs/{org}/invitations` for owners, and `/api/v1/invitations/{secret}` for whoever has the link.

use super::auth::{AnyCaller, Caller, Person};
use super::clock::now;
use super::contract::Body;
use super::error::Failure;
use super::json::{List, PageQuery};
use super::query::Asked;
use crate::domain::{Index, NewInvitation};
use crate::model::invitation::{Ended, Invitation, InvitationSecret, InvitationState};
use crate::model::{Member, MemberRole};
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Data, Path};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::NamespaceName;
use utoipa::ToSchema;

/// An invitation as owners see it; its secret and link only when it is new.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
pub struct InvitationBody {
    id: String,
    role: MemberRole,
    teams: Vec<NamespaceName>,
    allows_sign_up: bool,
    state: InvitationState,
    created_by: String,
    created_at: Timestamp,
    expires_at: Timestamp,
    ended_by: Option<String>,
    ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

impl From<Invitation> for InvitationBody {
    fn from(invitation: Invitation) -> Self {
        let state = invitation.state(now());
        let Invitation { id, role, teams, allows_sign_up, created_by, created_at, expires_at, ended, .. } = invitation;
        let (ended_by, ended_at) = ended.map(|Ended { by, at, .. }| (by, at)).unzip();
        Self {
            id,
            role,
            teams,
            allows_sign_up,
            state,
            created_by,
            created_at,
            expires_at,
            ended_by,
            ended_at,
            secret: None,
            link: None,
        }
    }
}

impl InvitationBody {
    fn new((invitation, secret): (Invitation, InvitationSecret), public_url: &str) -> Self {
        let secret = secret.into_text();
        let link = format!("{public_url}/api/v1/invitations/{secret}");
        Self { secret: Some(secret), link: Some(link), ..invitation.into() }
    }
}

/// A pending invitation as whoever has its link sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Offer)]
pub struct OfferBody {
    organisation: NamespaceName,
    display_name: String,
    role: MemberRole,
    teams: Vec<NamespaceName>,
    allows_sign_up: bool,
    invited_by: String,
    expires_at: Timestamp,
}

/// What came of accepting: who is a member, and of what.
#[derive(Serialize, ToSchema)]
#[schema(as = Joined)]
pub struct JoinedBody {
    organisation: NamespaceName,
    user: NamespaceName,
    role: MemberRole,
}

/// An invitation to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInvitation)]
pub struct NewInvitationBody {
    role: MemberRole,
    #[serde(default)]
    teams: Vec<NamespaceName>,
    #[serde(default)]
    allows_sign_up: bool,
    expires_at: Option<Timestamp>,
}

/// A page of the invitations to an organisation, the oldest first, for owners.
#[utoipa::path(
    get, path = "/orgs/{org}/invitations", params(PageQuery), responses((status = 200, body = List<InvitationBody>))
)]
pub async fn list(
    caller: Caller,
    index: Data<Index>,
    organisation: Path<NamespaceName>,
    query: Asked<PageQuery>,
) -> Result<List<InvitationBody>, Failure> {
    Ok(List::of(index.invitations(&caller.0, &organisation, &query.0.page()).await?))
}

/// Makes an invitation. Its secret and link are in this answer alone.
#[utoipa::path(
    post, path = "/orgs/{org}/invitations", request_body = NewInvitationBody,
    responses((status = 201, body = InvitationBody))
)]
pub async fn create(
    person: Person,
    index: Data<Index>,
    organisation: Path<NamespaceName>,
    body: Body<NewInvitationBody>,
) -> Result<HttpResponse, Failure> {
    let NewInvitationBody { role, teams, allows_sign_up, expires_at } = body.0;
    let new = NewInvitation { role, teams, allows_sign_up, expires_at };
    let made = index.create_invitation(&person.0, &organisation, new, now()).await?;
    let location = format!("/api/v1/orgs/{organisation}/invitations/{}", made.0.id);
    let mut answer = HttpResponse::Created();
    answer.insert_header((LOCATION, location)).insert_header((CACHE_CONTROL, "no-store"));
    Ok(answer.json(InvitationBody::new(made, &index.identity().public_url)))
}

/// An invitation.
#[utoipa::path(get, path = "/orgs/{org}/invitations/{id}", responses((status = 200, body = InvitationBody)))]
pub async fn show(
    caller: Caller,
    index: Data<Index>,
    of: Path<(NamespaceName, String)>,
) -> Result<HttpResponse, Failure> {
    let (organisation, id) = of.into_inner();
    Ok(HttpResponse::Ok().json(InvitationBody::from(index.invitation(&caller.0, &organisation, &id).await?)))
}

/// Revokes an invitation.
#[utoipa::path(delete, path = "/orgs/{org}/invitations/{id}", responses((status = 204)))]
pub async fn revoke(
    caller: Caller,
    index: Data<Index>,
    of: Path<(NamespaceName, String)>,
) -> Result<HttpResponse, Failure> {
    let (organisation, id) = of.into_inner();
    index.revoke_invitation(&caller.0, &organisation, &id, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// An invitation as whoever has its link sees it.
#[utoipa::path(get, path = "/invitations/{secret}", responses((status = 200, body = OfferBody)), security(()))]
pub async fn offer(_: AnyCaller, index: Data<Index>, secret: Path<String>) -> Result<HttpResponse, Failure> {
    let invitation = index.offered_invitation(&secret, now()).await?;
    let Invitation { organisation, display_name, role, teams, allows_sign_up, created_by, expires_at, .. } = invitation;
    let invited_by = created_by;
    let offer = OfferBody { organisation, display_name, role, teams, allows_sign_up, invited_by, expires_at };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(offer))
}

/// Accepts an invitation.
#[utoipa::path(post, path = "/invitations/{secret}/accept", responses((status = 200, body = JoinedBody)))]
pub async fn accept(caller: Caller, index: Data<Index>, secret: Path<String>) -> Result<HttpResponse, Failure> {
    let (organisation, Member { account, role, .. }) = index.accept_invitation(&caller.0, &secret, now()).await?;
    Ok(HttpResponse::Ok().json(JoinedBody { organisation, user: account, role }))
}

/// Declines an invitation.
#[utoipa::path(post, path = "/invitations/{secret}/decline", responses((status = 204)))]
pub async fn decline(caller: Caller, index: Data<Index>, secret: Path<String>) -> Result<HttpResponse, Failure> {
    index.decline_invitation(&caller.0, &secret, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
