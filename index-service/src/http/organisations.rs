//! `/api/v1/orgs`: organisations.

use super::auth::{AnyCaller, Caller};
use super::clock::now;
use super::contract::Body;
use super::error::Failure;
use super::json::{List, page};
use super::query::Asked;
use crate::domain::Index;
use crate::model::Organisation;
use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::NamespaceName;
use utoipa::ToSchema;

/// An organisation as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Organisation)]
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
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganisation {
    #[schema(value_type = NamespaceName)]
    name: String,
    /// One line, of at most 100 characters.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        example = "Acme Tools"
    )]
    display_name: Option<String>,
}

/// What is to be changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PatchOrganisation)]
pub struct OrganisationChange {
    /// One line, of at most 100 characters.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        example = "Acme Tools"
    )]
    display_name: String,
}

/// Which organisations are listed.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrganisationsQuery {
    /// What stands in its name or in what people call it, whatever the case.
    q: Option<String>,
    /// Entries on the page: 50 if it is not said, 200 at most.
    limit: Option<u32>,
    /// Which page, from the one before; the first, if it is not said.
    cursor: Option<String>,
    /// Whether the length of the whole list is wanted.
    count: Option<bool>,
}

/// A page of the organisations that one may see.
#[utoipa::path(
    get, path = "/orgs", params(OrganisationsQuery),
    responses((status = 200, body = List<OrganisationBody>)), security(())
)]
pub async fn list(
    caller: AnyCaller,
    index: Data<Index>,
    query: Asked<OrganisationsQuery>,
) -> Result<List<OrganisationBody>, Failure> {
    let page = page(query.0.limit, query.0.cursor, query.0.count);
    Ok(List::of(index.organisations(&caller.0, query.0.q.as_deref(), &page).await?))
}

/// Makes an organisation, which the caller owns, and its namespace.
#[utoipa::path(
    post, path = "/orgs", request_body = NewOrganisation, responses((status = 201, body = OrganisationBody))
)]
pub async fn create(caller: Caller, index: Data<Index>, body: Body<NewOrganisation>) -> Result<HttpResponse, Failure> {
    let NewOrganisation { name, display_name } = body.0;
    let organisation = index.create_organisation(&caller.0, &name, display_name, now()).await?;
    let location = format!("/api/v1/orgs/{}", organisation.name);
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(OrganisationBody::from(organisation)))
}

/// An organisation.
#[utoipa::path(get, path = "/orgs/{org}", responses((status = 200, body = OrganisationBody)), security(()))]
pub async fn show(caller: AnyCaller, index: Data<Index>, name: Path<NamespaceName>) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::Ok().json(OrganisationBody::from(index.organisation(&caller.0, &name).await?)))
}

/// Changes what people call an organisation.
#[utoipa::path(
    patch, path = "/orgs/{org}", request_body = OrganisationChange, responses((status = 200, body = OrganisationBody))
)]
pub async fn change(
    caller: Caller,
    index: Data<Index>,
    name: Path<NamespaceName>,
    body: Body<OrganisationChange>,
) -> Result<HttpResponse, Failure> {
    let organisation = index.set_display_name(&caller.0, &name, body.0.display_name).await?;
    Ok(HttpResponse::Ok().json(OrganisationBody::from(organisation)))
}

/// Deletes an organisation that has no repositories. Its name stays held.
#[utoipa::path(delete, path = "/orgs/{org}", responses((status = 204)))]
pub async fn delete(caller: Caller, index: Data<Index>, name: Path<NamespaceName>) -> Result<HttpResponse, Failure> {
    index.delete_organisation(&caller.0, &name, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
