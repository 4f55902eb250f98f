//! `fields=name,visibility`: an answer with some of its members, in one place for all that is shown.

use super::bodies::with_bytes;
use super::query::Fields;
use actix_web::HttpMessage;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use serde_json::Value;

/// Middleware: leaves of what is shown, or of each entry of a list, the members that were asked for. The entity tag stays
/// that of the whole, so that a change may be bound to it.
pub async fn pick_fields(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let answer = next.call(request).await?.map_into_boxed_body();
    let fields = answer.request().extensions_mut().remove::<Fields>();
    let Some(Fields(fields)) = fields.filter(|_| answer.status() == StatusCode::OK) else { return Ok(answer) };
    let (request, bytes, answer) = with_bytes(answer).await?;
    let mut shown: Value = serde_json::from_slice(&bytes)?;
    match shown.get_mut("items").and_then(Value::as_array_mut) {
        Some(entries) => entries.iter_mut().for_each(|entry| pick(entry, &fields)),
        None => pick(&mut shown, &fields),
    }
    let answer = answer.set_body(BoxBody::new(serde_json::to_vec(&shown)?));
    Ok(ServiceResponse::new(request, answer))
}

fn pick(shown: &mut Value, fields: &[String]) {
    if let Some(members) = shown.as_object_mut() {
        members.retain(|name, _| fields.contains(name));
    }
}
