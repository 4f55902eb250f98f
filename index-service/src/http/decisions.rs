//! `/api/v1/admin/decisions`: what a refused client was told the id of.

use super::auth::InstanceReader;
use super::error::Failure;
use super::explain::{ExplanationBody, shown};
use crate::domain::Index;
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use jiff::Timestamp;
use serde::Serialize;
use std::net::IpAddr;
use utoipa::ToSchema;

/// A decision as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Decision)]
pub struct DecisionBody {
    id: String,
    subject: String,
    #[schema(value_type = Option<String>, example = "192.0.2.7")]
    address: Option<IpAddr>,
    asked: String,
    granted: String,
    decided_at: Timestamp,
    /// What the subject holds now on each repository that there is.
    now: Vec<ExplanationBody>,
}

/// A decision that a refused client was told the id of, and what holds now.
#[utoipa::path(get, path = "/admin/decisions/{id}", responses((status = 200, body = DecisionBody)))]
pub async fn show(_: InstanceReader, index: Data<Index>, id: Path<String>) -> Result<HttpResponse, Failure> {
    let (decision, explained) = index.decision(&id).await?;
    let now = explained
        .into_iter()
        .filter_map(|(name, explanation)| Some(ExplanationBody::new(name, &decision.subject, explanation?)));
    Ok(HttpResponse::Ok().json(DecisionBody {
        now: now.collect(),
        subject: shown(&decision.subject),
        id: decision.id,
        address: decision.address,
        asked: decision.asked,
        granted: decision.granted,
        decided_at: decision.decided_at,
    }))
}
