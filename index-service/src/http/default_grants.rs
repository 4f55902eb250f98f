//! `/api/v1/namespaces/{namespace}/default-grants`: what is granted on each new repository, as one document.

use super::auth::Caller;
use super::error::Failure;
use crate::domain::Index;
use crate::model::default_grant::DefaultGrant;
use crate::model::{GrantSubject, Role};
use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use serde::{Deserialize, Serialize};
use shared::NamespaceName;

/// The whole list, as it is read and shown.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultGrantsBody {
    grants: Vec<DefaultGrantBody>,
}

/// One of them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

/// `GET /namespaces/{namespace}/default-grants`
pub async fn show(caller: Caller, index: Data<Index>, name: Path<NamespaceName>) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::Ok().json(DefaultGrantsBody::from(index.default_grants(&caller.0, &name).await?)))
}

/// `PUT /namespaces/{namespace}/default-grants`
pub async fn put(
    caller: Caller,
    index: Data<Index>,
    name: Path<NamespaceName>,
    body: Json<DefaultGrantsBody>,
) -> Result<HttpResponse, Failure> {
    let read = |DefaultGrantBody { subject, role }| DefaultGrant { subject, role };
    let grants: Vec<_> = body.into_inner().grants.into_iter().map(read).collect();
    let grants = index.put_default_grants(&caller.0, &name, &grants).await?;
    Ok(HttpResponse::Ok().json(DefaultGrantsBody::from(grants)))
}
