//! `/.well-known/jwks.json`: the keys with which any registry can verify our tokens.

use super::clock::now;
use crate::domain::Index;
use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;

/// `GET /.well-known/jwks.json`
pub async fn show(index: Data<Index>) -> HttpResponse {
    let key_set = index.key_set(now());
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "public, max-age=300")).json(key_set)
}
