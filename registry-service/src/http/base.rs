//! `GET /v2/`: does this speak the protocol, and is the token good? OCI distribution spec 1.1, end-1.

use super::auth::Anyone;
use actix_web::HttpResponse;
use serde_json::json;

pub async fn version(_: Anyone) -> HttpResponse {
    HttpResponse::Ok().json(json!({}))
}
