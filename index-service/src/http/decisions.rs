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

/// A decision as it is shown.
#[derive(Serialize)]
struct DecisionBody {
    id: String,
    subject: String,
    address: Option<IpAddr>,
    asked: String,
    granted: String,
    decided_at: Timestamp,
    /// What the subject holds now on each repository that there is.
    now: Vec<ExplanationBody>,
}

/// `GET /admin/decisions/{id}`
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
