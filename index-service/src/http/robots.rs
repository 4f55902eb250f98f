//! `/api/v1/orgs/{org}/robots`: robots of an organisation, by their own names there. Secrets are given out for the password
//! alone: a stolen token must not become another that outlives it.

use super::access_tokens::RotationBody;
use super::auth::{Caller, Person};
use super::clock::now;
use super::error::Failure;
use super::json::{List, PageQuery};
use crate::domain::Index;
use crate::model::access_token::{LastUse, Secret};
use crate::model::robot::{Robot, RobotChange, RobotName};
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Data, Json, Path, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::NamespaceName;
use std::net::IpAddr;

/// A robot as it is shown; its secret only when it is new. It signs in by its whole name.
#[derive(Serialize)]
pub struct RobotBody {
    name: RobotName,
    description: String,
    disabled: bool,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    last_used_from: Option<IpAddr>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl From<Robot> for RobotBody {
    fn from(robot: Robot) -> Self {
        let Robot { name, description, disabled_at, expires_at, last_used, created_at } = robot;
        let LastUse { at: last_used_at, from: last_used_from } = last_used;
        let disabled = disabled_at.is_some();
        Self { name, description, disabled, expires_at, last_used_at, last_used_from, created_at, secret: None }
    }
}

impl From<(Robot, Secret)> for RobotBody {
    fn from((robot, secret): (Robot, Secret)) -> Self {
        Self { secret: Some(secret.into_text()), ..robot.into() }
    }
}

/// A robot to be made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRobot {
    name: NamespaceName,
    description: Option<String>,
    expires_at: Option<Timestamp>,
}

/// What is to be changed; what is absent stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchRobot {
    description: Option<String>,
    disabled: Option<bool>,
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

/// `GET /orgs/{org}/robots`
pub async fn list(
    caller: Caller,
    index: Data<Index>,
    organisation: Path<NamespaceName>,
    query: Query<PageQuery>,
) -> Result<List<RobotBody>, Failure> {
    Ok(List::of(index.robots(&caller.0, &organisation, &query.page()?).await?))
}

/// `POST /orgs/{org}/robots`
pub async fn create(
    person: Person,
    index: Data<Index>,
    organisation: Path<NamespaceName>,
    body: Json<NewRobot>,
) -> Result<HttpResponse, Failure> {
    let NewRobot { name, description, expires_at } = body.into_inner();
    let name = RobotName { organisation: organisation.into_inner(), robot: name };
    let location = format!("/api/v1/orgs/{}/robots/{}", name.organisation, name.robot);
    let made = index.create_robot(&person.0, name, description, expires_at, now()).await?;
    let mut answer = HttpResponse::Created();
    answer.insert_header((LOCATION, location)).insert_header((CACHE_CONTROL, "no-store"));
    Ok(answer.json(RobotBody::from(made)))
}

/// `GET /orgs/{org}/robots/{robot}`
pub async fn show(caller: Caller, index: Data<Index>, of: Path<OfRobot>) -> Result<HttpResponse, Failure> {
    let robot = index.robot(&caller.0, &of.into_inner().into()).await?;
    Ok(HttpResponse::Ok().json(RobotBody::from(robot)))
}

/// `PATCH /orgs/{org}/robots/{robot}`
pub async fn change(
    caller: Caller,
    index: Data<Index>,
    of: Path<OfRobot>,
    body: Json<PatchRobot>,
) -> Result<HttpResponse, Failure> {
    let PatchRobot { description, disabled } = body.into_inner();
    let change = RobotChange { description, disabled };
    let robot = index.change_robot(&caller.0, &of.into_inner().into(), change, now()).await?;
    Ok(HttpResponse::Ok().json(RobotBody::from(robot)))
}

/// `POST /orgs/{org}/robots/{robot}/rotate`
pub async fn rotate(
    person: Person,
    index: Data<Index>,
    of: Path<OfRobot>,
    body: Json<RotationBody>,
) -> Result<HttpResponse, Failure> {
    let rotated = index.rotate_robot(&person.0, &of.into_inner().into(), &body.into_inner().into(), now()).await?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(RobotBody::from(rotated)))
}

/// `DELETE /orgs/{org}/robots/{robot}`
pub async fn delete(caller: Caller, index: Data<Index>, of: Path<OfRobot>) -> Result<HttpResponse, Failure> {
    index.delete_robot(&caller.0, &of.into_inner().into()).await?;
    Ok(HttpResponse::NoContent().finish())
}
