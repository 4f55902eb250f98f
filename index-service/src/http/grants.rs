//! `…/grants`: who was given which role on a namespace or a repository.

use super::auth::Caller;
use super::clock::now;
use super::contract::Body;
use super::error::Failure;
use super::json::{List, PageQuery};
use super::query::Asked;
use crate::domain::Index;
use crate::model::{Grant, GrantSubject, GrantedOn, Role};
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{NamespaceName, RepositoryName};
use utoipa::ToSchema;

/// A grant as it is shown. Its subject is a kind and a name.
#[derive(Serialize, ToSchema)]
#[schema(as = Grant)]
pub struct GrantBody {
    #[schema(value_type = GrantSubject)]
    subject: String,
    role: Role,
    created_by: String,
    created_at: Timestamp,
}

impl From<Grant> for GrantBody {
    fn from(grant: Grant) -> Self {
        Self {
            subject: grant.subject.to_string(),
            role: grant.role,
            created_by: grant.created_by,
            created_at: grant.created_at,
        }
    }
}

/// The role to give.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    role: Role,
}

/// A page of the grants on a namespace, for its administrators.
#[utoipa::path(
    get, path = "/namespaces/{on}/grants", params(PageQuery), responses((status = 200, body = List<GrantBody>))
)]
pub async fn list_of_namespace(
    caller: Caller,
    index: Data<Index>,
    name: Path<NamespaceName>,
    query: Asked<PageQuery>,
) -> Result<List<GrantBody>, Failure> {
    list(&caller, &index, &GrantedOn::Namespace(name.into_inner()), query.0).await
}

/// Gives a role on everything in a namespace, in place of the one before.
#[utoipa::path(
    put, path = "/namespaces/{on}/grants/{subject}", request_body = NewGrant,
    responses((status = 200, body = GrantBody))
)]
pub async fn put_on_namespace(
    caller: Caller,
    index: Data<Index>,
    path: Path<(NamespaceName, GrantSubject)>,
    body: Body<NewGrant>,
) -> Result<HttpResponse, Failure> {
    let (name, subject) = path.into_inner();
    put(&caller, &index, &GrantedOn::Namespace(name), subject, body.0.role).await
}

/// Takes away what was granted on a namespace.
#[utoipa::path(delete, path = "/namespaces/{on}/grants/{subject}", responses((status = 204)))]
pub async fn delete_on_namespace(
    caller: Caller,
    index: Data<Index>,
    path: Path<(NamespaceName, GrantSubject)>,
) -> Result<HttpResponse, Failure> {
    let (name, subject) = path.into_inner();
    delete(&caller, &index, &GrantedOn::Namespace(name), &subject).await
}

/// A page of the grants on a repository, for its administrators.
#[utoipa::path(
    get, path = "/repositories/{on}/-/grants", params(PageQuery), responses((status = 200, body = List<GrantBody>))
)]
pub async fn list_of_repository(
    caller: Caller,
    index: Data<Index>,
    name: Path<RepositoryName>,
    query: Asked<PageQuery>,
) -> Result<List<GrantBody>, Failure> {
    list(&caller, &index, &GrantedOn::Repository(name.into_inner()), query.0).await
}

/// Gives a role on a repository, in place of the one before.
#[utoipa::path(
    put, path = "/repositories/{on}/-/grants/{subject}", request_body = NewGrant,
    responses((status = 200, body = GrantBody))
)]
pub async fn put_on_repository(
    caller: Caller,
    index: Data<Index>,
    path: Path<(RepositoryName, GrantSubject)>,
    body: Body<NewGrant>,
) -> Result<HttpResponse, Failure> {
    let (name, subject) = path.into_inner();
    put(&caller, &index, &GrantedOn::Repository(name), subject, body.0.role).await
}

/// Takes away what was granted on a repository.
#[utoipa::path(delete, path = "/repositories/{on}/-/grants/{subject}", responses((status = 204)))]
pub async fn delete_on_repository(
    caller: Caller,
    index: Data<Index>,
    path: Path<(RepositoryName, GrantSubject)>,
) -> Result<HttpResponse, Failure> {
    let (name, subject) = path.into_inner();
    delete(&caller, &index, &GrantedOn::Repository(name), &subject).await
}

async fn list(caller: &Caller, index: &Index, on: &GrantedOn, query: PageQuery) -> Result<List<GrantBody>, Failure> {
    Ok(List::of(index.grants(&caller.0, on, &query.page()).await?))
}

async fn put(
    caller: &Caller,
    index: &Index,
    on: &GrantedOn,
    subject: GrantSubject,
    role: Role,
) -> Result<HttpResponse, Failure> {
    let grant = index.put_grant(&caller.0, on, subject, role, now()).await?;
    Ok(HttpResponse::Ok().json(GrantBody::from(grant)))
}

async fn delete(
    caller: &Caller,
    index: &Index,
    on: &GrantedOn,
    subject: &GrantSubject,
) -> Result<HttpResponse, Failure> {
    index.delete_grant(&caller.0, on, subject).await?;
    Ok(HttpResponse::NoContent().finish())
}
