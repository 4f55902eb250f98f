//! `/api/v1/namespaces`: the first parts of repository names.

use super::auth::{AnyCaller, Caller};
use super::error::Failure;
use super::json::{List, PageQuery};
use crate::domain::Index;
use crate::model::{Namespace, NamespaceChange, NamespaceKind, Visibility};
use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::NamespaceName;

/// A namespace as it is shown.
#[derive(Serialize)]
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchNamespace {
    description: Option<String>,
    default_visibility: Option<Visibility>,
}

/// `GET /namespaces`
pub async fn list(
    caller: AnyCaller,
    index: Data<Index>,
    query: Query<PageQuery>,
) -> Result<List<NamespaceBody>, Failure> {
    Ok(List::of(index.namespaces(&caller.0, &query.page()?).await?))
}

/// `GET /namespaces/{namespace}`
pub async fn show(caller: AnyCaller, index: Data<Index>, name: Path<NamespaceName>) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::Ok().json(NamespaceBody::from(index.namespace(&caller.0, &name).await?)))
}

/// `PATCH /namespaces/{namespace}`
pub async fn change(
    caller: Caller,
    index: Data<Index>,
    name: Path<NamespaceName>,
    body: Json<PatchNamespace>,
) -> Result<HttpResponse, Failure> {
    let PatchNamespace { description, default_visibility } = body.into_inner();
    let change = NamespaceChange { description, default_visibility };
    let namespace = index.change_namespace(&caller.0, &name, &change).await?;
    Ok(HttpResponse::Ok().json(NamespaceBody::from(namespace)))
}
