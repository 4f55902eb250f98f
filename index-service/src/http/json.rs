//! What all JSON answers and requests share: pages of lists, limits, and errors for what cannot be read.

use super::error::Failure;
use crate::domain::Index;
use crate::model::{Fault, Page, Paged, Sorting};
use actix_web::body::BoxBody;
use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError};
use actix_web::http::Uri;
use actix_web::http::header::LINK;
use actix_web::web::{Data, JsonConfig, PathConfig, QueryConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Bytes of a request of the REST API at most.
pub const MAX_BODY: usize = 64 * 1024;

/// One page of a list.
#[derive(Serialize, ToSchema)]
pub struct List<T: ToSchema> {
    items: Vec<T>,
    /// What leads to the next page; null on the last one.
    // The text that is signed as soon as the address of the list is known.
    next_cursor: Option<String>,
    /// How long the whole list is, with `count=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Whether it is just as long; so far it always is.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_is_exact: Option<bool>,
}

impl<T: ToSchema> List<T> {
    /// The page with each entry as it is shown.
    pub fn of<M: Into<T>>(page: Paged<M>) -> Self {
        Self {
            items: page.items.into_iter().map(Into::into).collect(),
            next_cursor: page.next,
            total: page.total,
            total_is_exact: page.total.map(|_| true),
        }
    }
}

impl<T: Serialize + ToSchema> Responder for List<T> {
    type Body = BoxBody;

    fn respond_to(mut self, request: &HttpRequest) -> HttpResponse {
        let mut answer = HttpResponse::Ok();
        if let (Some(next), Some(index)) = (&mut self.next_cursor, request.app_data::<Data<Index>>()) {
            *next = index.cursors().to(request.path(), next);
            answer.insert_header((LINK, link_to_next(request.uri(), next)));
        }
        answer.json(self)
    }
}

/// RFC 8288: the same address with another cursor, filters and all.
fn link_to_next(uri: &Uri, cursor: &str) -> String {
    let query: Vec<(String, String)> =
        uri.query().and_then(|query| serde_urlencoded::from_str(query).ok()).unwrap_or_default();
    let kept = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).filter(|(name, _)| *name != "cursor");
    let query: Vec<_> = kept.chain([("cursor", cursor)]).collect();
    format!("<{}?{}>; rel=\"next\"", uri.path(), serde_urlencoded::to_string(query).unwrap_or_default())
}

/// Which page of a list is wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Entries on the page: 50 if it is not said, 200 at most.
    limit: Option<u32>,
    /// Which page, from the one before; the first, if it is not said.
    cursor: Option<String>,
    /// Whether the length of the whole list is wanted.
    count: Option<bool>,
}

impl PageQuery {
    /// The page.
    pub fn page(self) -> Page {
        page(self.limit, self.cursor, self.count)
    }
}

/// The page of at most `limit` entries that `cursor`, already read, leads to, perhaps with the length of the whole list.
pub fn page(limit: Option<u32>, cursor: Option<String>, count: Option<bool>) -> Page {
    Page::new(limit, cursor).counted(count.unwrap_or_default())
}

/// The same of a list that has several orders; `keys` are those of `sort`.
pub fn sorted<'a>(page: Page, keys: impl IntoIterator<Item = &'a str>) -> Result<Page, Failure> {
    let sorting = Sorting::of(keys);
    let sorting = sorting.ok_or_else(|| Fault::of_parameter("sort", "repeated", "each key can be there once"))?;
    Ok(page.sorted(sorting).ok_or_else(foreign_cursor)?)
}

/// What a filter of two values wants: both of them is the same as neither.
pub fn one_of<T: Copy + PartialEq>(wanted: &[T]) -> Option<T> {
    let (first, others) = wanted.split_first()?;
    others.iter().all(|other| other == first).then_some(*first)
}

/// What is wrong with a cursor that was given for another list or order, or by nobody.
pub fn foreign_cursor() -> Fault {
    let rule = "this list gave no such cursor: begin without one, or send one with the same sort";
    Fault::of_parameter("cursor", "foreign_cursor", rule)
}

/// Bodies, paths and queries that cannot be read become failures of ours.
pub fn limits(cfg: &mut ServiceConfig) {
    limits_with_body(cfg, MAX_BODY);
}

/// The same with bodies of at most `max_body` bytes.
pub fn limits_with_body(cfg: &mut ServiceConfig, max_body: usize) {
    cfg.app_data(JsonConfig::default().limit(max_body).error_handler(|error, _| unreadable_body(&error).into()))
        .app_data(PathConfig::default().error_handler(|error, _| unreadable_path(&error).into()))
        .app_data(QueryConfig::default().error_handler(|error, _| unreadable_query(&error).into()));
}

fn unreadable_body(error: &JsonPayloadError) -> Failure {
    match error {
        JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. } => Failure::TooLarge,
        JsonPayloadError::ContentType => Failure::Malformed("send JSON as Content-Type: application/json".to_owned()),
        JsonPayloadError::Deserialize(error) => Failure::Malformed(error.to_string()),
        other => Failure::Malformed(other.to_string()),
    }
}

fn unreadable_path(error: &PathError) -> Failure {
    match error {
        PathError::Deserialize(error) => Failure::Malformed(error.to_string()),
        other => Failure::Malformed(other.to_string()),
    }
}

fn unreadable_query(error: &QueryPayloadError) -> Failure {
    Fault::of_parameter("", "unreadable", error).into()
}
