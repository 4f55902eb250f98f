//! Health checks: alive, and ready to serve.

use crate::domain::Registry;
use actix_web::HttpResponse;
use actix_web::web::Data;

pub async fn live() -> HttpResponse {
    HttpResponse::Ok().body("ok\n")
}

/// Ready when storage can be written and the index answers.
pub async fn ready(registry: Data<Registry>) -> HttpResponse {
    match registry.check().await {
        Ok(()) => HttpResponse::Ok().body("ok\n"),
        Err(refusal) => {
            tracing::warn!(error = %refusal, "not ready");
            HttpResponse::ServiceUnavailable().body("not ready; the log says why\n")
        }
    }
}
