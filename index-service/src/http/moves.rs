//! `/api/v1/repositories/{name}`, deleted, restored, purged and renamed; and `/api/v1/namespaces/{namespace}/deleted`.
//!
//! What no registry has answered to yet is 202: it stands, and is done as soon as one does.

use super::auth::{Caller, InstanceAdmin};
use super::clock::now;
use super::contract::Body;
use super::error::Failure;
use super::json::{List, PageQuery};
use super::query::Asked;
use super::repositories::RepositoryBody;
use crate::domain::{Index, Mover, Progress};
use crate::model::moves::DeletedRepository;
use crate::model::{Account, Role, Visibility};
use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{NamespaceName, RepositoryName};
use utoipa::ToSchema;

/// A repository that can be restored, as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = DeletedRepository)]
pub struct DeletedBody {
    name: RepositoryName,
    visibility: Visibility,
    description: String,
    deleted_at: Timestamp,
    purge_at: Timestamp,
}

impl From<DeletedRepository> for DeletedBody {
    fn from(deleted: DeletedRepository) -> Self {
        let (deleted_at, purge_at) = (deleted.deleted_at, deleted.purge_at());
        let repository = deleted.repository;
        Self {
            name: repository.name,
            visibility: repository.visibility,
            description: repository.description,
            deleted_at,
            purge_at,
        }
    }
}

/// What stands, and is done when a registry answers.
#[derive(Serialize, ToSchema)]
pub struct Waiting {
    #[schema(example = "waiting")]
    state: &'static str,
    detail: &'static str,
}

/// The new name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameRepository {
    name: RepositoryName,
}

/// Deletes a repository. It can be restored for seven days.
#[utoipa::path(delete, path = "/repositories/{name}", responses((status = 204), (status = 202, body = Waiting)))]
pub async fn delete(caller: Caller, mover: Data<Mover>, name: Path<RepositoryName>) -> Result<HttpResponse, Failure> {
    Ok(match mover.delete(&caller.0, &name, now()).await? {
        Progress::Done => HttpResponse::NoContent().finish(),
        Progress::Waiting => waits("the repository is deleted; storage follows when its registry answers"),
    })
}

/// Brings a deleted repository back as it was.
#[utoipa::path(
    post, path = "/repositories/{name}/-/restore",
    responses((status = 200, body = RepositoryBody), (status = 202, body = Waiting))
)]
pub async fn restore(caller: Caller, mover: Data<Mover>, name: Path<RepositoryName>) -> Result<HttpResponse, Failure> {
    match mover.restore(&caller.0, &name, now()).await? {
        Progress::Done => shown(&mover, &caller.0, &name).await,
        Progress::Waiting => Ok(waits("the repository comes back when its registry answers")),
    }
}

/// Ends a deleted repository at once, for administrators of the instance.
#[utoipa::path(post, path = "/repositories/{name}/-/purge", responses((status = 204), (status = 202, body = Waiting)))]
pub async fn purge(
    admin: InstanceAdmin,
    mover: Data<Mover>,
    name: Path<RepositoryName>,
) -> Result<HttpResponse, Failure> {
    Ok(match mover.purge(&admin.0, &name, now()).await? {
        Progress::Done => HttpResponse::NoContent().finish(),
        Progress::Waiting => waits("the repository is purged when its registry answers; it cannot be restored"),
    })
}

/// Gives a repository another name in its namespace.
#[utoipa::path(
    post, path = "/repositories/{name}/-/rename", request_body = RenameRepository,
    responses((status = 200, body = RepositoryBody), (status = 202, body = Waiting))
)]
pub async fn rename(
    caller: Caller,
    mover: Data<Mover>,
    name: Path<RepositoryName>,
    body: Body<RenameRepository>,
) -> Result<HttpResponse, Failure> {
    let to = body.0.name;
    match mover.rename(&caller.0, &name, to.clone(), now()).await? {
        Progress::Done => shown(&mover, &caller.0, &to).await,
        Progress::Waiting => Ok(waits("the repository gets its new name when its registry answers")),
    }
}

/// A page of the repositories that can be restored.
#[utoipa::path(
    get, path = "/namespaces/{namespace}/deleted", params(PageQuery),
    responses((status = 200, body = List<DeletedBody>))
)]
pub async fn list_deleted(
    caller: Caller,
    index: Data<Index>,
    namespace: Path<NamespaceName>,
    query: Asked<PageQuery>,
) -> Result<List<DeletedBody>, Failure> {
    Ok(List::of(index.deleted_repositories(&caller.0, &namespace, &query.0.page()).await?))
}

/// The repository as it is now, and where.
async fn shown(mover: &Mover, caller: &Account, name: &RepositoryName) -> Result<HttpResponse, Failure> {
    let repository = mover.index().repository_seen(&caller.subject(), name, Role::Read).await?;
    let location = format!("/api/v1/repositories/{name}");
    Ok(HttpResponse::Ok().insert_header((LOCATION, location)).json(RepositoryBody::from(repository)))
}

/// It will be so.
pub(super) fn waits(detail: &'static str) -> HttpResponse {
    HttpResponse::Accepted().json(Waiting { state: "waiting", detail })
}
