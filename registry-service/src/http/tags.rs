//! `GET /v2/<name>/tags/list`: OCI distribution spec 1.1, end-8.

use super::auth::Pull;
use super::error::Handled;
use super::pages::PageRequest;
use crate::domain::Registry;
use crate::domain::tags::TagPage;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Serialize, Serializer};
use shared::RepositoryName;

#[derive(Serialize)]
struct TagList<'a> {
    name: &'a RepositoryName,
    #[serde(serialize_with = "each")]
    tags: &'a TagPage,
}

fn each<S: Serializer>(page: &TagPage, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(page.tags())
}

pub async fn list(Pull(permit): Pull, request: HttpRequest, registry: Data<Registry>) -> Handled {
    let wanted = PageRequest::of(&request)?;
    let page = registry.tags(&permit.repository, wanted.limit, wanted.after.clone()).await?;
    let mut answer = HttpResponse::Ok();
    if let Some(last) = page.tags().next_back().filter(|_| page.more) {
        answer.insert_header(wanted.next(&request, last.as_str()));
    }
    Ok(answer.json(TagList { name: &permit.repository.name, tags: &page }))
}
