//! `/api/v1/orgs/{org}/rename`: another name for an organisation and everything in its namespace.

use super::auth::Caller;
use super::clock::now;
use super::error::Failure;
use super::moves::waits;
use super::organisations::OrganisationBody;
use crate::domain::{Mover, Progress};
use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json, Path};
use serde::Deserialize;
use shared::NamespaceName;

/// The new name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenameOrganisation {
    name: String,
}

/// `POST /orgs/{org}/rename`
pub async fn rename(
    caller: Caller,
    mover: Data<Mover>,
    name: Path<NamespaceName>,
    body: Json<RenameOrganisation>,
) -> Result<HttpResponse, Failure> {
    let (organisation, progress) = mover.rename_organisation(&caller.0, &name, &body.name, now()).await?;
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
