//! `/api/v1/namespaces/{namespace}/networks`: from where a namespace may be used.

use super::auth::Caller;
use super::contract::Body;
use super::error::Failure;
use crate::domain::Index;
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use shared::{NamespaceName, Networks};
use utoipa::ToSchema;

/// The ranges; from everywhere where there is none.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Networks)]
pub struct NetworksBody {
    #[schema(value_type = Vec<String>, max_items = 100, example = json!(["10.0.0.0/8"]))]
    allowed_networks: Networks,
}

/// From where a namespace may be used.
#[utoipa::path(get, path = "/namespaces/{namespace}/networks", responses((status = 200, body = NetworksBody)))]
pub async fn show(caller: Caller, index: Data<Index>, name: Path<NamespaceName>) -> Result<HttpResponse, Failure> {
    let allowed_networks = index.namespace_networks(&caller.0, &name).await?;
    Ok(HttpResponse::Ok().json(NetworksBody { allowed_networks }))
}

/// Says from where a namespace may be used: from everywhere where there is no range.
#[utoipa::path(
    put, path = "/namespaces/{namespace}/networks", request_body = NetworksBody,
    responses((status = 200, body = NetworksBody), (status = 428))
)]
pub async fn put(
    caller: Caller,
    index: Data<Index>,
    name: Path<NamespaceName>,
    body: Body<NetworksBody>,
) -> Result<HttpResponse, Failure> {
    index.put_namespace_networks(&caller.0, &name, &body.0.allowed_networks).await?;
    Ok(HttpResponse::Ok().json(body.0))
}
