//! `/internal/v1/move`: what the index wishes of the storage.

use super::auth::Wish;
use super::error::Handled;
use crate::domain::Registry;
use actix_web::HttpResponse;
use actix_web::web::Data;

/// `POST`; the token carries the wish.
pub async fn carry_out(Wish(request): Wish, registry: Data<Registry>) -> Handled {
    Ok(HttpResponse::Ok().json(registry.move_repository(&request).await?))
}
