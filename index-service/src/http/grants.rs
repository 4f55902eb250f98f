//! `…/grants`: who was given which role on a namespace or a repository.

use super::auth::Caller;
use super::clock::now;
use super::error::Failure;
use super::json::{List, PageQuery};
use crate::domain::Index;
use crate::model::{Grant, GrantSubject, GrantedOn, Role};
use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{NamespaceName, RepositoryName};

/// A grant as it is shown. Its subject is a kind and a name.
#[derive(Serialize)]
pub struct GrantBody {
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    role: Role,
}

/// `GET /namespaces/{namespace}/grants`
pub async fn list_of_namespace(
    caller: Caller,
    index: Data<Index>,
    name: Path<NamespaceName>,
    query: Query<PageQuery>,
) -> Result<List<GrantBody>, Failure> {
    list(&caller, &index, &GrantedOn::Namespace(name.into_inner()), &query).await
}

/// `PUT /namespaces/{namespace}/grants/{subject}`
pub async fn put_on_namespace(
    caller: Caller,
    index: Data<Index>,
    path: Path<(NamespaceName, GrantSubject)>,
    body: Json<NewGrant>,
) -> Result<HttpResponse, Failure> {
    let (name, subject) = path.into_inner();
    put(&caller, &index, &GrantedOn::Namespace(name), subject, body.role).await
}

/// `DELETE /namespaces/{namespace}/grants/{subject}`
pub async fn delete_on_namespace(
    caller: Caller,
    index: Data<Index>,
    path: Path<(NamespaceName, GrantSubject)>,
) -> Result<HttpResponse, Failure> {
    let (name, subject) = path.into_inner();
    delete(&caller, &index, &GrantedOn::Namespace(name), &subject).await
}

/// `GET /repositories/{name}/-/grants`
pub async fn list_of_repository(
    caller: Caller,
    index: Data<Index>,
    name: Path<RepositoryName>,
    query: Query<PageQuery>,
) -> Result<List<GrantBody>, Failure> {
    list(&caller, &index, &GrantedOn::Repository(name.into_inner()), &query).await
}

/// `PUT /repositories/{name}/-/grants/{subject}`
pub async fn put_on_repository(
    caller: Caller,
    index: Data<Index>,
    path: Path<(RepositoryName, GrantSubject)>,
    body: Json<NewGrant>,
) -> Result<HttpResponse, Failure> {
    let (name, subject) = path.into_inner();
    put(&caller, &index, &GrantedOn::Repository(name), subject, body.role).await
}

/// `DELETE /repositories/{name}/-/grants/{subject}`
pub async fn delete_on_repository(
    caller: Caller,
    index: Data<Index>,
    path: Path<(RepositoryName, GrantSubject)>,
) -> Result<HttpResponse, Failure> {
    let (name, subject) = path.into_inner();
    delete(&caller, &index, &GrantedOn::Repository(name), &subject).await
}

async fn list(caller: &Caller, index: &Index, on: &GrantedOn, query: &PageQuery) -> Result<List<GrantBody>, Failure> {
    Ok(List::of(index.grants(&caller.0, on, &query.page()?).await?))
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
