//! `/api/v1/namespaces`: the first parts of repository names.

use super::auth::{AnyCaller, Caller};
use super::contract::Body;
use super::error::Failure;
use super::json::{List, PageQuery};
use super::query::Asked;
use crate::domain::Index;
use crate::model::{Namespace, NamespaceChange, NamespaceKind, Visibility};
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::NamespaceName;
use utoipa::ToSchema;

/// A namespace as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Namespace)]
pub struct NamespaceBody {
    name: NamespaceName,
    kind: NamespaceKind,
    description: String,
    default_visibility: Visibility,
    created_at: Timestamp,
}

impl From<Namespace> for NamespaceBody {
    fn from(namespace: Namespace) -> Self {
        let Namespace { name, kind, description, default_visibility, created_at, .. } = namespace;
        Self { name, kind, description, default_visibility, created_at }
    }
}

/// What is to be changed; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchNamespace {
    /// One line, of at most 200 characters.
    #[schema(max_length = 200, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$", example = "who builds")]
    description: Option<String>,
    default_visibility: Option<Visibility>,
}

/// A page of the namespaces that one may see.
#[utoipa::path(
    get, path = "/namespaces", params(PageQuery), responses((status = 200, body = List<NamespaceBody>)), security(())
)]
pub async fn list(
    caller: AnyCaller,
    index: Data<Index>,
    query: Asked<PageQuery>,
) -> Result<List<NamespaceBody>, Failure> {
    Ok(List::of(index.namespaces(&caller.0, &query.0.page()).await?))
}

/// A namespace.
#[utoipa::path(get, path = "/namespaces/{namespace}", responses((status = 200, body = NamespaceBody)), security(()))]
pub async fn show(caller: AnyCaller, index: Data<Index>, name: Path<NamespaceName>) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::Ok().json(NamespaceBody::from(index.namespace(&caller.0, &name).await?)))
}

/// Changes what holds in a namespace, for its administrators.
#[utoipa::path(
    patch, path = "/namespaces/{namespace}", request_body = PatchNamespace,
    responses((status = 200, body = NamespaceBody))
)]
pub async fn change(
    caller: Caller,
    index: Data<Index>,
    name: Path<NamespaceName>,
    body: Body<PatchNamespace>,
) -> Result<HttpResponse, Failure> {
    let PatchNamespace { description, default_visibility } = body.0;
    let change = NamespaceChange { description, default_visibility };
    let namespace = index.change_namespace(&caller.0, &name, &change).await?;
    Ok(HttpResponse::Ok().json(NamespaceBody::from(namespace)))
}
