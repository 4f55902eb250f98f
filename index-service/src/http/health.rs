//! Whether the process is alive, and whether it can do its work.

use super::error::Failure;
use crate::domain::Index;
use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::json;

/// `GET /livez`
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// `GET /readyz`
pub async fn ready(index: Data<Index>) -> Result<HttpResponse, Failure> {
    index.check().await?;
    Ok(HttpResponse::Ok().json(json!({ "status": "ok" })))
}
