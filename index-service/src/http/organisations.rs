//! `/api/v1/orgs`: organisations.

use super::auth::{AnyCaller, Caller};
use super::clock::now;
use super::error::Failure;
use super::json::{List, page};
use crate::domain::Index;
use crate::model::Organisation;
use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json, Path, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::NamespaceName;

/// An organisation as it is shown.
#[derive(Serialize)]
pub struct OrganisationBody {
    name: NamespaceName,
    display_name: String,
    created_at: Timestamp,
}

impl From<Organisation> for OrganisationBody {
    fn from(organisation: Organisation) -> Self {
        let Organisation { name, display_name, created_at } = organisation;
        Self { name, display_name, created_at }
    }
}

/// An organisation to be made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrganisation {
    name: String,
    display_name: Option<String>,
}

/// What is to be changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganisationChange {
    display_name: String,
}

/// Which organisations are listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganisationsQuery {
    q: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
    count: Option<bool>,
}

/// `GET /orgs`
pub async fn list(
    caller: AnyCaller,
    index: Data<Index>,
    query: Query<OrganisationsQuery>,
) -> Result<List<OrganisationBody>, Failure> {
    let page = page(query.limit, query.cursor.as_deref(), query.count)?;
    Ok(List::of(index.organisations(&caller.0, query.q.as_deref(), &page).await?))
}

/// `POST /orgs`
pub async fn create(caller: Caller, index: Data<Index>, body: Json<NewOrganisation>) -> Result<HttpResponse, Failure> {
    let NewOrganisation { name, display_name } = body.into_inner();
    let organisation = index.create_organisation(&caller.0, &name, display_name, now()).await?;
    let location = format!("/api/v1/orgs/{}", organisation.name);
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(OrganisationBody::from(organisation)))
}

/// `GET /orgs/{org}`
pub async fn show(caller: AnyCaller, index: Data<Index>, name: Path<NamespaceName>) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::Ok().json(OrganisationBody::from(index.organisation(&caller.0, &name).await?)))
}

/// `PATCH /orgs/{org}`
pub async fn change(
    caller: Caller,
    index: Data<Index>,
    name: Path<NamespaceName>,
    body: Json<OrganisationChange>,
) -> Result<HttpResponse, Failure> {
    let organisation = index.set_display_name(&caller.0, &name, body.into_inner().display_name).await?;
    Ok(HttpResponse::Ok().json(OrganisationBody::from(organisation)))
}

/// `DELETE /orgs/{org}`
pub async fn delete(caller: Caller, index: Data<Index>, name: Path<NamespaceName>) -> Result<HttpResponse, Failure> {
    index.delete_organisation(&caller.0, &name, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
