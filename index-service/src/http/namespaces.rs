//! `/api/v1/namespaces`: the first parts of repository names.

use super::auth::AnyCaller;
use super::error::Failure;
use super::json::{List, PageQuery};
use crate::domain::Index;
use crate::model::{Namespace, NamespaceKind};
use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use jiff::Timestamp;
use serde::Serialize;
use shared::NamespaceName;

/// A namespace as it is shown.
#[derive(Serialize)]
struct NamespaceBody {
    name: NamespaceName,
    kind: NamespaceKind,
    created_at: Timestamp,
}

impl From<Namespace> for NamespaceBody {
    fn from(namespace: Namespace) -> Self {
        Self { name: namespace.name, kind: namespace.kind, created_at: namespace.created_at }
    }
}

/// `GET /namespaces`
pub async fn list(caller: AnyCaller, index: Data<Index>, query: Query<PageQuery>) -> Result<HttpResponse, Failure> {
    let namespaces = index.namespaces(&caller.0, &query.page()?).await?;
    Ok(HttpResponse::Ok().json(List::<NamespaceBody>::of(namespaces)))
}

/// `GET /namespaces/{namespace}`
pub async fn show(caller: AnyCaller, index: Data<Index>, name: Path<NamespaceName>) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::Ok().json(NamespaceBody::from(index.namespace(&caller.0, &name).await?)))
}
