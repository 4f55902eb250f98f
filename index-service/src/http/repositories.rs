//! `/api/v1/repositories`: repositories by their whole name, slashes included.

use super::auth::{AnyCaller, Caller};
use super::clock::now;
use super::error::Failure;
use super::json::{List, page, sorted};
use crate::domain::Index;
use crate::model::repository::{RepositoryChange, RepositoryFilter, RepositorySort};
use crate::model::{Repository, RepositoryState, Role, Visibility};
use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json, Path, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{NamespaceName, RepositoryName};

/// A repository as it is shown.
#[derive(Serialize)]
pub struct RepositoryBody {
    name: RepositoryName,
    namespace: NamespaceName,
    visibility: Visibility,
    description: String,
    star_count: u64,
    official: bool,
    state: RepositoryState,
    created_by: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Repository> for RepositoryBody {
    fn from(repository: Repository) -> Self {
        Self {
            name: repository.name,
            namespace: repository.namespace,
            visibility: repository.visibility,
            description: repository.description,
            star_count: repository.star_count,
            official: repository.official,
            state: repository.state,
            created_by: repository.created_by,
            created_at: repository.created_at,
            updated_at: repository.updated_at,
        }
    }
}

/// A repository to be made, or what is to be changed about it; what is absent stays, or is private and empty.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutRepository {
    visibility: Option<Visibility>,
    description: Option<String>,
}

/// What is to be changed; what is absent stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchRepository {
    visibility: Option<Visibility>,
    description: Option<String>,
    official: Option<bool>,
}

/// Which repositories are listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepositoriesQuery {
    namespace: Option<NamespaceName>,
    visibility: Option<Visibility>,
    q: Option<String>,
    sort: Option<RepositorySort>,
    limit: Option<u32>,
    cursor: Option<String>,
    count: Option<bool>,
}

/// `GET /repositories`
pub async fn list(
    caller: AnyCaller,
    index: Data<Index>,
    query: Query<RepositoriesQuery>,
) -> Result<List<RepositoryBody>, Failure> {
    let RepositoriesQuery { namespace, visibility, q, sort, limit, cursor, count } = query.into_inner();
    let sort = sort.unwrap_or(RepositorySort::Name);
    let page = sorted(page(limit, cursor.as_deref(), count)?, sort.as_str())?;
    let filter = RepositoryFilter { namespace, visibility, text: q };
    Ok(List::of(index.repositories(&caller.0, &filter, sort, &page).await?))
}

/// `PUT /repositories/{name}`
pub async fn put(
    caller: Caller,
    index: Data<Index>,
    name: Path<RepositoryName>,
    body: Json<PutRepository>,
) -> Result<HttpResponse, Failure> {
    let PutRepository { visibility, description } = body.into_inner();
    let wanted = RepositoryChange { visibility, description, official: None };
    let (repository, made) = index.put_repository(&caller.0, &name, wanted, now()).await?;
    if !made {
        return Ok(HttpResponse::Ok().json(RepositoryBody::from(repository)));
    }
    let location = format!("/api/v1/repositories/{name}");
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(RepositoryBody::from(repository)))
}

/// `GET /repositories/{name}`
pub async fn show(caller: AnyCaller, index: Data<Index>, name: Path<RepositoryName>) -> Result<HttpResponse, Failure> {
    let repository = index.repository_seen(&caller.0, &name, Role::Read).await?;
    Ok(HttpResponse::Ok().json(RepositoryBody::from(repository)))
}

/// `PATCH /repositories/{name}`
pub async fn change(
    caller: Caller,
    index: Data<Index>,
    name: Path<RepositoryName>,
    body: Json<PatchRepository>,
) -> Result<HttpResponse, Failure> {
    let PatchRepository { visibility, description, official } = body.into_inner();
    let change = RepositoryChange { visibility, description, official };
    let repository = index.change_repository(&caller.0, &name, change, now()).await?;
    Ok(HttpResponse::Ok().json(RepositoryBody::from(repository)))
}
