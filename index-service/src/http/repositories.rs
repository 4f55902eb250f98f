//! `/api/v1/repositories`: repositories by their whole name, slashes included.

use super::auth::{AnyCaller, Caller};
use super::clock::now;
use super::contract::Body;
use super::error::Failure;
use super::json::{List, one_of, page, sorted};
use super::query::Asked;
use crate::domain::Index;
use crate::model::repository::{RepositoryChange, RepositoryFilter, RepositorySort};
use crate::model::{Repository, RepositoryState, Role, Visibility};
use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{NamespaceName, RepositoryName};
use utoipa::ToSchema;

/// A repository as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Repository)]
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
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutRepository {
    visibility: Option<Visibility>,
    /// One line, of at most 1000 characters.
    #[schema(max_length = 1000, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$", example = "An app")]
    description: Option<String>,
}

/// What is to be changed; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchRepository {
    visibility: Option<Visibility>,
    /// One line, of at most 1000 characters.
    #[schema(max_length = 1000, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$", example = "An app")]
    description: Option<String>,
    official: Option<bool>,
}

/// Which repositories are listed.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RepositoriesQuery {
    /// Only those of this namespace; said again, those of one of several.
    #[serde(default)]
    #[param(max_items = 8)]
    namespace: Vec<NamespaceName>,
    /// Only those that everybody may read, or only the others.
    #[serde(default)]
    visibility: Vec<Visibility>,
    /// What stands in its name or description, whatever the case.
    q: Option<String>,
    /// In which order: keys with commas between, the first one first; `-` begins at its end. By name, if it is not said.
    #[serde(default)]
    #[param(explode = false)]
    sort: Vec<RepositorySort>,
    /// Entries on the page: 50 if it is not said, 200 at most.
    limit: Option<u32>,
    /// Which page, from the one before; the first, if it is not said.
    cursor: Option<String>,
    /// Whether the length of the whole list is wanted.
    count: Option<bool>,
}

/// A page of the repositories that one may see.
#[utoipa::path(
    get, path = "/repositories", params(RepositoriesQuery),
    responses((status = 200, body = List<RepositoryBody>)), security(())
)]
pub async fn list(
    caller: AnyCaller,
    index: Data<Index>,
    query: Asked<RepositoriesQuery>,
) -> Result<List<RepositoryBody>, Failure> {
    let RepositoriesQuery { namespace, visibility, q, sort, limit, cursor, count } = query.0;
    let page = sorted(page(limit, cursor, count), sort.into_iter().map(RepositorySort::as_str))?;
    let filter = RepositoryFilter { namespaces: namespace, visibility: one_of(&visibility), text: q };
    Ok(List::of(index.repositories(&caller.0, &filter, &page).await?))
}

/// Makes a repository, or changes it if it is there.
#[utoipa::path(
    put, path = "/repositories/{name}", request_body = PutRepository,
    responses((status = 200, body = RepositoryBody), (status = 201, body = RepositoryBody))
)]
pub async fn put(
    caller: Caller,
    index: Data<Index>,
    name: Path<RepositoryName>,
    body: Body<PutRepository>,
) -> Result<HttpResponse, Failure> {
    let PutRepository { visibility, description } = body.0;
    let wanted = RepositoryChange { visibility, description, official: None };
    let (repository, made) = index.put_repository(&caller.0, &name, wanted, now()).await?;
    if !made {
        return Ok(HttpResponse::Ok().json(RepositoryBody::from(repository)));
    }
    let location = format!("/api/v1/repositories/{name}");
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(RepositoryBody::from(repository)))
}

/// A repository.
#[utoipa::path(get, path = "/repositories/{name}", responses((status = 200, body = RepositoryBody)), security(()))]
pub async fn show(caller: AnyCaller, index: Data<Index>, name: Path<RepositoryName>) -> Result<HttpResponse, Failure> {
    let repository = index.repository_seen(&caller.0, &name, Role::Read).await?;
    Ok(HttpResponse::Ok().json(RepositoryBody::from(repository)))
}

/// Changes what is said about a repository, and who may read it.
#[utoipa::path(
    patch, path = "/repositories/{name}", request_body = PatchRepository,
    responses((status = 200, body = RepositoryBody))
)]
pub async fn change(
    caller: Caller,
    index: Data<Index>,
    name: Path<RepositoryName>,
    body: Body<PatchRepository>,
) -> Result<HttpResponse, Failure> {
    let PatchRepository { visibility, description, official } = body.0;
    let change = RepositoryChange { visibility, description, official };
    let repository = index.change_repository(&caller.0, &name, change, now()).await?;
    Ok(HttpResponse::Ok().json(RepositoryBody::from(repository)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::openapi::document;

    #[test]
    fn a_query_has_no_more_namespaces_than_are_looked_in() {
        let parameters =
            document().pointer("/paths/~1repositories/get/parameters").and_then(|all| all.as_array()).unwrap();
        let namespace = parameters.iter().find(|parameter| parameter["name"] == "namespace").unwrap();
        assert_eq!(namespace["schema"]["maxItems"], RepositoryFilter::MOST_NAMESPACES);
    }
}
