//! `/api/v1/orgs/{org}/robots`: robots of an organisation, by their own names there. Secrets are given out for the password
//! alone: a stolen token must not become another that outlives it.

use super::access_tokens::RotationBody;
use super::auth::{Caller, Person};
use super::clock::now;
use super::contract::Body;
use super::error::Failure;
use super::json::{List, PageQuery};
use super::query::Asked;
use crate::domain::Index;
use crate::model::access_token::{LastUse, Secret};
use crate::model::robot::{Robot, RobotChange, RobotName};
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Data, Path};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{NamespaceName, Networks};
use std::net::IpAddr;
use utoipa::ToSchema;

/// A robot as it is shown; its secret only when it is new. It signs in by its whole name.
#[derive(Serialize, ToSchema)]
#[schema(as = Robot)]
pub struct RobotBody {
    name: RobotName,
    description: String,
    disabled: bool,
    /// Ranges of addresses from which it opens anything; none for everywhere.
    #[schema(value_type = Vec<String>, max_items = 100, example = json!(["10.0.0.0/8"]))]
    allowed_networks: Networks,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, example = "192.0.2.7")]
    last_used_from: Option<IpAddr>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl From<Robot> for RobotBody {
    fn from(robot: Robot) -> Self {
        let Robot { name, description, disabled_at, allowed_networks, expires_at, last_used, created_at } = robot;
        let (disabled, secret) = (disabled_at.is_some(), None);
        let LastUse { at: last_used_at, from: last_used_from } = last_used;
        Self {
            name,
            description,
            disabled,
            allowed_networks,
            expires_at,
            last_used_at,
            last_used_from,
            created_at,
            secret,
        }
    }
}

impl From<(Robot, Secret)> for RobotBody {
    fn from((robot, secret): (Robot, Secret)) -> Self {
        Self { secret: Some(secret.into_text()), ..robot.into() }
    }
}

/// A robot to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRobot {
    name: NamespaceName,
    /// One line, of at most 200 characters.
    #[schema(max_length = 200, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$", example = "who builds")]
    description: Option<String>,
    #[serde(default)]
    /// Ranges of addresses from which it opens anything; none for everywhere.
    #[schema(value_type = Vec<String>, max_items = 100, example = json!(["10.0.0.0/8"]))]
    allowed_networks: Networks,
    expires_at: Option<Timestamp>,
}

/// What is to be changed; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchRobot {
    /// One line, of at most 200 characters.
    #[schema(max_length = 200, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$", example = "who builds")]
    description: Option<String>,
    disabled: Option<bool>,
    /// Ranges of addresses from which it opens anything; none for everywhere.
    #[schema(value_type = Option<Vec<String>>, max_items = 100, example = json!(["10.0.0.0/8"]))]
    allowed_networks: Option<Networks>,
}

/// A robot's address.
#[derive(Deserialize)]
pub struct OfRobot {
    org: NamespaceName,
    robot: NamespaceName,
}

impl From<OfRobot> for RobotName {
    fn from(of: OfRobot) -> Self {
        Self { organisation: of.org, robot: of.robot }
    }
}

/// A page of an organisation's robots, for its members.
#[utoipa::path(get, path = "/orgs/{org}/robots", params(PageQuery), responses((status = 200, body = List<RobotBody>)))]
pub async fn list(
    caller: Caller,
    index: Data<Index>,
    organisation: Path<NamespaceName>,
    query: Asked<PageQuery>,
) -> Result<List<RobotBody>, Failure> {
    Ok(List::of(index.robots(&caller.0, &organisation, &query.0.page()).await?))
}

/// Makes a robot that holds nothing yet, for owners with their password. Its secret is in this answer alone.
#[utoipa::path(post, path = "/orgs/{org}/robots", request_body = NewRobot, responses((status = 201, body = RobotBody)))]
pub async fn create(
    person: Person,
    index: Data<Index>,
    organisation: Path<NamespaceName>,
    body: Body<NewRobot>,
) -> Result<HttpResponse, Failure> {
    let NewRobot { name, description, allowed_networks, expires_at } = body.0;
    let name = RobotName { organisation: organisation.into_inner(), robot: name };
    let location = format!("/api/v1/orgs/{}/robots/{}", name.organisation, name.robot);
    let made = index.create_robot(&person.0, name, description, allowed_networks, expires_at, now()).await?;
    let mut answer = HttpResponse::Created();
    answer.insert_header((LOCATION, location)).insert_header((CACHE_CONTROL, "no-store"));
    Ok(answer.json(RobotBody::from(made)))
}

/// A robot.
#[utoipa::path(get, path = "/orgs/{org}/robots/{robot}", responses((status = 200, body = RobotBody)))]
pub async fn show(caller: Caller, index: Data<Index>, of: Path<OfRobot>) -> Result<HttpResponse, Failure> {
    let robot = index.robot(&caller.0, &of.into_inner().into()).await?;
    Ok(HttpResponse::Ok().json(RobotBody::from(robot)))
}

/// Changes what is said about a robot, or whether it may do anything.
#[utoipa::path(
    patch, path = "/orgs/{org}/robots/{robot}", request_body = PatchRobot, responses((status = 200, body = RobotBody))
)]
pub async fn change(
    caller: Caller,
    index: Data<Index>,
    of: Path<OfRobot>,
    body: Body<PatchRobot>,
) -> Result<HttpResponse, Failure> {
    let PatchRobot { description, disabled, allowed_networks } = body.0;
    let change = RobotChange { description, disabled, allowed_networks };
    let robot = index.change_robot(&caller.0, &of.into_inner().into(), change, now()).await?;
    Ok(HttpResponse::Ok().json(RobotBody::from(robot)))
}

/// Gives a robot another secret, which is in this answer alone.
#[utoipa::path(
    post, path = "/orgs/{org}/robots/{robot}/rotate", request_body = RotationBody,
    responses((status = 200, body = RobotBody))
)]
pub async fn rotate(
    person: Person,
    index: Data<Index>,
    of: Path<OfRobot>,
    body: Body<RotationBody>,
) -> Result<HttpResponse, Failure> {
    let rotated = index.rotate_robot(&person.0, &of.into_inner().into(), &body.0.into(), now()).await?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(RobotBody::from(rotated)))
}

/// Ends a robot, with everything that it was granted.
#[utoipa::path(delete, path = "/orgs/{org}/robots/{robot}", responses((status = 204)))]
pub async fn delete(caller: Caller, index: Data<Index>, of: Path<OfRobot>) -> Result<HttpResponse, Failure> {
    index.delete_robot(&caller.0, &of.into_inner().into()).await?;
    Ok(HttpResponse::NoContent().finish())
}
