//! `/api/v1/orgs/{org}/rename`: another name for an organisation and everything in its namespace.

use super::auth::Caller;
use super::clock::now;
use super::contract::Body;
use super::error::Failure;
use super::moves::{Waiting, waits};
use super::organisations::OrganisationBody;
use crate::domain::{Mover, Progress};
use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path};
use serde::Deserialize;
use shared::NamespaceName;
use utoipa::ToSchema;

/// The new name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameOrganisation {
    #[schema(value_type = NamespaceName)]
    name: String,
}

/// Gives an organisation another name, with everything in its namespace.
#[utoipa::path(
    post, path = "/orgs/{org}/rename", request_body = RenameOrganisation,
    responses((status = 200, body = OrganisationBody), (status = 202, body = Waiting))
)]
pub async fn rename(
    caller: Caller,
    mover: Data<Mover>,
    name: Path<NamespaceName>,
    body: Body<RenameOrganisation>,
) -> Result<HttpResponse, Failure> {
    let (organisation, progress) = mover.rename_organisation(&caller.0, &name, &body.0.name, now()).await?;
    Ok(match progress {
        Progress::Done => {
            let location = format!("/api/v1/orgs/{}", organisation.name);
            HttpResponse::Ok().insert_header((LOCATION, location)).json(OrganisationBody::from(organisation))
        }
        Progress::Waiting => {
            waits("the organisation has its new name; each repository gets it when its registry answers")
        }
    })
}
