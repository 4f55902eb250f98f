//! `Idempotency-Key` on every POST of who has an account: the same request sent twice is carried out once.

use super::auth::{index, signed_in};
use super::bodies::whole;
use super::clock::now;
use super::error::Failure;
use super::json::MAX_BODY;
use crate::domain::{Index, Refusal, SignedIn};
use crate::model::account::Owner;
use crate::model::idempotency::{IdempotencyKey, KeptAnswer, hash};
use crate::model::{Account, Fault};
use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, HeaderName, LOCATION};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes};
use actix_web::{HttpResponse, rt};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Middleware: answers a POST whose key is known as it was answered, and keeps the answer to one whose key is new.
pub async fn carry_out_once(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let mut keys = request.headers().get_all(KEY);
    let (first, second) = (keys.next(), keys.next());
    let key = match (first, second) {
        (Some(key), None) if request.method() == Method::POST => IdempotencyKey::parse(key.as_bytes()),
        (Some(_), Some(_)) => Err(Fault::of_parameter("Idempotency-Key", "repeated", "one Idempotency-Key at a time")),
        _ => return Ok(next.call(request).await?.map_into_boxed_body()),
    };
    let key = match key {
        Ok(key) => key,
        Err(fault) => return Ok(request.error_response(Failure::from(fault))),
    };
    let body = match whole(request.extract::<web::Payload>().await?, MAX_BODY).await {
        Ok(body) => body,
        Err(failure) => return Ok(request.error_response(failure)),
    };
    request.set_payload(Payload::from(body.clone()));
    let signed_in = signed_in(request.request()).await;
    let (index, caller) = match (index(request.request()), signed_in) {
        (Ok(index), Ok(SignedIn { owner: Owner::Person(caller), .. })) => (index, caller),
        // Whether somebody must sign in here the handler knows.
        (Ok(_), Ok(_) | Err(Failure::Refused(Refusal::SignInNeeded))) => {
            return Ok(next.call(request).await?.map_into_boxed_body());
        }
        (Err(failure), _) | (_, Err(failure)) => return Ok(request.error_response(failure)),
    };
    let request_hash = hash_of(&request, &body);
    match index.begin_request(&caller, &key, &request_hash, now()).await {
        Ok(None) => {}
        Ok(Some(answer)) => return Ok(request.into_response(replay(answer))),
        Err(refusal) => return Ok(request.error_response(Failure::Refused(refusal))),
    }
    // Goes on to its end although the client leaves: that is what it may have sent the key for.
    let carried_out = rt::spawn(async move {
        let answer = next.call(request).await?.map_into_boxed_body();
        keep(&index, &caller, &key, answer).await
    });
    carried_out.await.map_err(|error| Failure::Refused(Refusal::Fault(error.to_string())))?
}

fn hash_of(request: &ServiceRequest, body: &Bytes) -> String {
    hash([request.method().as_str().as_bytes(), request.uri().to_string().as_bytes(), body])
}

/// Keeps what was done, and nothing of a refusal, which changed nothing.
async fn keep(
    index: &Index,
    caller: &Account,
    key: &IdempotencyKey,
    answer: ServiceResponse<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if !answer.status().is_success() {
        note(index.end_request(caller, key, None).await);
        return Ok(answer);
    }
    let had_secret = answer.headers().get(CACHE_CONTROL).is_some_and(|value| value == "no-store");
    let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let status = answer.status().as_u16();
    let (request, answer) = answer.into_parts();
    let (answer, body) = answer.into_parts();
    let bytes = to_bytes(body).await.map_err(actix_web::Error::from)?;
    let text = if had_secret { None } else { String::from_utf8(bytes.to_vec()).ok() };
    note(index.end_request(caller, key, Some(KeptAnswer { status, location, body: text, had_secret })).await);
    Ok(ServiceResponse::new(request, answer.set_body(BoxBody::new(bytes))))
}

/// The answer stands either way; a repeated request is then refused as one that is not known to have ended.
fn note(ended: Result<(), Refusal>) {
    if let Err(error) = ended {
        tracing::warn!("the end of a request with an Idempotency-Key is not noted: {error}");
    }
}

fn replay(answer: KeptAnswer) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK));
    response.insert_header(("Idempotency-Replayed", "true"));
    if let Some(location) = answer.location {
        response.insert_header((LOCATION, location));
    }
    match answer.body.filter(|body| !body.is_empty()) {
        Some(body) => response.content_type("application/json").body(body),
        None => response.finish(),
    }
}
