//! `/v1/`: the two addresses that `docker search` still asks.

use super::address::client_address;
use super::auth::{bearer, credentials};
use super::clock::now;
use super::error::Failure;
use crate::domain::{Index, SearchPage, SearchResults};
use crate::model::access_token::Secret;
use crate::model::{Repository, Subject};
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

/// Results on a page when the client does not say.
const DEFAULT_SIZE: u32 = 25;
/// Results on a page at most.
const MAX_SIZE: u32 = 100;

/// What is searched for; `n` and `page` are as the client sent them.
#[derive(Deserialize)]
pub struct SearchQuery {
    #[serde(default)]
    q: String,
    n: Option<i64>,
    page: Option<i64>,
}

/// `GET /v1/_ping`
pub async fn ping() -> HttpResponse {
    HttpResponse::Ok().insert_header(("X-Docker-Registry-Standalone", "true")).json(json!({ "standalone": true }))
}

/// `GET /v1/search`
pub async fn search(
    index: Data<Index>,
    request: HttpRequest,
    query: Query<SearchQuery>,
) -> Result<HttpResponse, Failure> {
    let subject = searcher(&index, &request).await?;
    let page =
        SearchPage { number: clamped(query.page, 1, u32::MAX, 1), size: clamped(query.n, 1, MAX_SIZE, DEFAULT_SIZE) };
    let results = index.search(&subject, &query.q, page).await?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(render(&query.q, page, &results)))
}

/// Docker sends Basic credentials, or a registry token when it holds an identity token.
async fn searcher(index: &Index, request: &HttpRequest) -> Result<Subject, Failure> {
    match bearer(request.headers()) {
        Some(token) if Secret::parse(token).is_none() => {
            Ok(index.searcher(token, client_address(request), now()).await?)
        }
        _ => Ok(index.sign_in_subject(credentials(request.headers())?, client_address(request), now()).await?),
    }
}

fn clamped(value: Option<i64>, least: u32, most: u32, default: u32) -> u32 {
    value.map_or(default, |value| u32::try_from(value.clamp(least.into(), most.into())).unwrap_or(default))
}

fn render(text: &str, page: SearchPage, results: &SearchResults) -> Value {
    json!({
        "query": text,
        "num_results": results.total,
        "num_pages": results.total.div_ceil(page.size.into()),
        "page": page.number,
        "page_size": page.size,
        "results": results.repositories.iter().map(result).collect::<Vec<_>>(),
    })
}

fn result(repository: &Repository) -> Value {
    json!({
        "name": repository.name,
        "description": repository.description,
        "star_count": repository.star_count,
        "is_official": repository.official,
        "is_automated": false,
        "is_trusted": false,
    })
}
