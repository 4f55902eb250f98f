//! `GET /v2/_catalog`: repositories that the caller may see. Docker registry API; not in the OCI spec.

use super::auth::Catalog;
use super::error::Handled;
use super::front::client;
use super::pages::PageRequest;
use crate::domain::Registry;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use shared::RepositoryName;

#[derive(Serialize)]
struct Repositories {
    repositories: Vec<RepositoryName>,
}

pub async fn list(Catalog(subject): Catalog, request: HttpRequest, registry: Data<Registry>) -> Handled {
    let wanted = PageRequest::of(&request)?;
    let page = registry.catalog(subject, client(&request), wanted.limit, wanted.after.clone()).await?;
    let mut answer = HttpResponse::Ok();
    if let Some(last) = page.items.last().filter(|_| page.more) {
        answer.insert_header(wanted.next(&request, last.as_str()));
    }
    Ok(answer.json(Repositories { repositories: page.items }))
}
