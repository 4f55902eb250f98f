//! What all JSON answers and requests share: pages of lists, limits, and errors for what cannot be read.

use super::error::Failure;
use crate::model::{Page, Paged};
use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError};
use actix_web::web::{JsonConfig, PathConfig, QueryConfig, ServiceConfig};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// Bytes of a request of the REST API at most.
const MAX_BODY: usize = 64 * 1024;

/// One page of a list.
#[derive(Serialize)]
pub struct List<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

impl<T> List<T> {
    /// The page with each entry as it is shown.
    pub fn of<M: Into<T>>(page: Paged<M>) -> Self {
        Self {
            items: page.items.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(|text| URL_SAFE_NO_PAD.encode(text)),
        }
    }
}

/// Which page of a list is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    limit: Option<u32>,
    cursor: Option<String>,
}

impl PageQuery {
    /// The page.
    pub fn page(&self) -> Result<Page, Failure> {
        page(self.limit, self.cursor.as_deref())
    }
}

/// The page of at most `limit` entries that `cursor` leads to.
pub fn page(limit: Option<u32>, cursor: Option<&str>) -> Result<Page, Failure> {
    let after = cursor.map(|cursor| {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.ok_or_else(|| Failure::Malformed("the cursor is none of ours".to_owned()))
    });
    Ok(Page::new(limit, after.transpose()?))
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
    match error {
        QueryPayloadError::Deserialize(error) => Failure::Malformed(error.to_string()),
        other => Failure::Malformed(other.to_string()),
    }
}
