//! `/api/v1/namespaces/{namespace}/collaborators`: who from outside was granted something there.

use super::auth::Caller;
use super::error::Failure;
use super::json::{List, PageQuery};
use super::query::Asked;
use crate::domain::Index;
use crate::model::Role;
use crate::model::collaborator::Collaborator;
use actix_web::web::{Data, Path};
use jiff::Timestamp;
use serde::Serialize;
use shared::{NamespaceName, RepositoryName};
use utoipa::ToSchema;

/// What one of them holds as it is shown: on the namespace or on a repository.
#[derive(Serialize, ToSchema)]
#[schema(as = Collaborator)]
pub struct CollaboratorBody {
    user: NamespaceName,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<NamespaceName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<RepositoryName>,
    role: Role,
    created_by: String,
    created_at: Timestamp,
}

impl From<Collaborator> for CollaboratorBody {
    fn from(held: Collaborator) -> Self {
        let (namespace, repository) = held.on.parts();
        let Collaborator { account, role, created_by, created_at, .. } = held;
        Self { user: account, namespace, repository, role, created_by, created_at }
    }
}

/// A page of what people from outside were granted in a namespace.
#[utoipa::path(
    get, path = "/namespaces/{namespace}/collaborators", params(PageQuery),
    responses((status = 200, body = List<CollaboratorBody>))
)]
pub async fn list(
    caller: Caller,
    index: Data<Index>,
    name: Path<NamespaceName>,
    query: Asked<PageQuery>,
) -> Result<List<CollaboratorBody>, Failure> {
    Ok(List::of(index.collaborators(&caller.0, &name, &query.0.page()).await?))
}
