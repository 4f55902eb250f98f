//! `/v2/<name>/referrers/<digest>`: OCI distribution spec 1.1, end-12.

use super::auth::MayPull;
use super::error::Handled;
use super::pages::PageRequest;
use super::places::Place;
use super::query::Query;
use crate::domain::Registry;
use crate::domain::referrers::{ReferrerPage, ReferrerQuery};
use actix_web::http::header::{CONTENT_TYPE, HeaderName};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;
use shared::Digest;
use shared::media_type::OCI_INDEX;

/// Says that the list was filtered; without it a client filters itself.
const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

pub async fn list(MayPull(permit): MayPull, request: HttpRequest, registry: Data<Registry>) -> Handled {
    let subject = Digest::parse(Place::of(&request).last)?;
    let wanted = PageRequest::of(&request)?;
    // No media type has a space: it was a plus that was not encoded.
    let query = Query::of(&request);
    let types = query.all("artifactType").filter(|name| !name.is_empty());
    let artifact_types: Vec<_> = types.map(|name| name.replace(' ', "+")).collect();
    let mut answer = HttpResponse::Ok();
    if !artifact_types.is_empty() {
        answer.insert_header((FILTERS_APPLIED, "artifactType"));
    }
    let page = match permit {
        Some(permit) => {
            let query = ReferrerQuery { subject, artifact_types, limit: wanted.limit, after: wanted.after.clone() };
            registry.referrers(&permit.repository, query).await?
        }
        // Clients ask before they push: whether the repository exists is no part of the question.
        None => ReferrerPage::default(),
    };
    if let Some(last) = &page.next {
        answer.insert_header(wanted.next(&request, last.as_str()));
    }
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": page.items });
    Ok(answer.insert_header((CONTENT_TYPE, OCI_INDEX)).body(index.to_string()))
}
