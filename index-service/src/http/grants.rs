//! `…/grants`: who was given which role on a namespace or a repository.

use super::auth::Caller;
use super::clock::now;
use super::error::Failure;
use super::json::{List, PageQuery};
use crate::domain::{Governed, Index};
use crate::model::{Grant, Role};
use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{NamespaceName, RepositoryName};

/// A grant as it is shown. Its subject is a kind and a name, because teams and robots will hold grants too.
#[derive(Serialize)]
struct GrantBody {
    subject: String,
    role: Role,
    created_by: String,
    created_at: Timestamp,
}

impl From<Grant> for GrantBody {
    fn from(grant: Grant) -> Self {
        Self {
            subject: format!("user:{}", grant.account),
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
) -> Result<HttpResponse, Failure> {
    list(&caller, &index, &Governed::Namespace(name.into_inner()), &query).await
}

/// `PUT /namespaces/{namespace}/grants/user:{user}`
pub async fn put_on_namespace(
    caller: Caller,
    index: Data<Index>,
    path: Path<(NamespaceName, NamespaceName)>,
    body: Json<NewGrant>,
) -> Result<HttpResponse, Failure> {
    let (name, user) = path.into_inner();
    put(&caller, &index, &Governed::Namespace(name), user, body.role).await
}

/// `DELETE /namespaces/{namespace}/grants/user:{user}`
pub async fn delete_on_namespace(
    caller: Caller,
    index: Data<Index>,
    path: Path<(NamespaceName, NamespaceName)>,
) -> Result<HttpResponse, Failure> {
    let (name, user) = path.into_inner();
    delete(&caller, &index, &Governed::Namespace(name), &user).await
}

/// `GET /repositories/{name}/-/grants`
pub async fn list_of_repository(
    caller: Caller,
    index: Data<Index>,
    name: Path<RepositoryName>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Failure> {
    list(&caller, &index, &Governed::Repository(name.into_inner()), &query).await
}

/// `PUT /repositories/{name}/-/grants/user:{user}`
pub async fn put_on_repository(
    caller: Caller,
    index: Data<Index>,
    path: Path<(RepositoryName, NamespaceName)>,
    body: Json<NewGrant>,
) -> Result<HttpResponse, Failure> {
    let (name, user) = path.into_inner();
    put(&caller, &index, &Governed::Repository(name), user, body.role).await
}

/// `DELETE /repositories/{name}/-/grants/user:{user}`
pub async fn delete_on_repository(
    caller: Caller,
    index: Data<Index>,
    path: Path<(RepositoryName, NamespaceName)>,
) -> Result<HttpResponse, Failure> {
    let (name, user) = path.into_inner();
    delete(&caller, &index, &Governed::Repository(name), &user).await
}

async fn list(caller: &Caller, index: &Index, on: &Governed, query: &PageQuery) -> Result<HttpResponse, Failure> {
    let grants = index.grants(&caller.0, on, &query.page()?).await?;
    Ok(HttpResponse::Ok().json(List::<GrantBody>::of(grants)))
}

async fn put(
    caller: &Caller,
    index: &Index,
    on: &Governed,
    user: NamespaceName,
    role: Role,
) -> Result<HttpResponse, Failure> {
    let grant = index.put_grant(&caller.0, on, user, role, now()).await?;
    Ok(HttpResponse::Ok().json(GrantBody::from(grant)))
}

async fn delete(caller: &Caller, index: &Index, on: &Governed, user: &NamespaceName) -> Result<HttpResponse, Failure> {
    index.delete_grant(&caller.0, on, user).await?;
    Ok(HttpResponse::NoContent().finish())
}
