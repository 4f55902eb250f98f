//! `/api/v1/namespaces/{namespace}/default-grants`: what is granted on each new repository, as one document.

use super::auth::Caller;
use super::contract::Body;
use super::error::Failure;
use crate::domain::Index;
use crate::model::default_grant::DefaultGrant;
use crate::model::{GrantSubject, Role};
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use shared::NamespaceName;
use utoipa::ToSchema;

/// The whole list, as it is read and shown.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DefaultGrants)]
pub struct DefaultGrantsBody {
    #[schema(max_items = 50)]
    grants: Vec<DefaultGrantBody>,
}

/// One of them.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DefaultGrant)]
struct DefaultGrantBody {
    subject: GrantSubject,
    role: Role,
}

impl From<Vec<DefaultGrant>> for DefaultGrantsBody {
    fn from(grants: Vec<DefaultGrant>) -> Self {
        let shown = |DefaultGrant { subject, role }| DefaultGrantBody { subject, role };
        Self { grants: grants.into_iter().map(shown).collect() }
    }
}

/// What is granted on each repository made in a namespace.
#[utoipa::path(
    get, path = "/namespaces/{namespace}/default-grants", responses((status = 200, body = DefaultGrantsBody))
)]
pub async fn show(caller: Caller, index: Data<Index>, name: Path<NamespaceName>) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::Ok().json(DefaultGrantsBody::from(index.default_grants(&caller.0, &name).await?)))
}

/// Replaces what is granted on each repository made from now on.
#[utoipa::path(
    put, path = "/namespaces/{namespace}/default-grants", request_body = DefaultGrantsBody,
    responses((status = 200, body = DefaultGrantsBody), (status = 428))
)]
pub async fn put(
    caller: Caller,
    index: Data<Index>,
    name: Path<NamespaceName>,
    body: Body<DefaultGrantsBody>,
) -> Result<HttpResponse, Failure> {
    let read = |DefaultGrantBody { subject, role }| DefaultGrant { subject, role };
    let grants: Vec<_> = body.0.grants.into_iter().map(read).collect();
    let grants = index.put_default_grants(&caller.0, &name, &grants).await?;
    Ok(HttpResponse::Ok().json(DefaultGrantsBody::from(grants)))
}
