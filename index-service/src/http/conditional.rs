//! Entity tags (RFC 9110 8.8.3 and 13): what is shown carries one, and a change can be bound to the one that was seen.
//!
//! A tag is the hash of the very bytes that are shown, so it is strong, and changes with anything that a client can see.

use super::auth::index;
use super::bodies::{whole, with_bytes};
use super::contract::is_shown;
use super::cookie;
use super::error::Failure;
use super::json::MAX_BODY;
use crate::domain::Refusal;
use crate::model::idempotency::hash;
use actix_web::Resource;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, ETAG, EntityTag, Header, HeaderValue, IF_MATCH, IF_NONE_MATCH, IfMatch, IfNoneMatch,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{Bytes, resource};

/// How often a change is tried that others overtake.
const MOST_TRIES: usize = 16;

/// Middleware: what is shown gets its tag, and who has it already gets 304.
pub async fn tag_answers(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    // What a change answers is what a GET shows from then on, if one shows it.
    let has_tag = match *request.method() {
        Method::GET => true,
        Method::PUT | Method::PATCH => is_shown(&request),
        _ => false,
    };
    let answer = next.call(request).await?.map_into_boxed_body();
    if !has_tag || !matches!(answer.status(), StatusCode::OK | StatusCode::CREATED) {
        return Ok(answer);
    }
    let (request, bytes, mut answer) = with_bytes(answer).await?;
    let tag = tag_of(&bytes);
    if let Ok(value) = HeaderValue::from_str(&tag.to_string()) {
        answer.headers_mut().insert(ETAG, value);
    }
    if request.method() == Method::GET {
        // What a secret opens may be kept nowhere, and says so itself.
        if !answer.headers().contains_key(CACHE_CONTROL) {
            answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        }
        // A header that cannot be read is none here: the whole answer is always right.
        let seen = IfNoneMatch::parse(&request).ok().filter(|_| request.headers().contains_key(IF_NONE_MATCH));
        if seen.is_some_and(|seen| matches_none(&seen, &tag)) {
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(ServiceResponse::new(request, answer.set_body(BoxBody::new(()))));
        }
    }
    Ok(ServiceResponse::new(request, answer.set_body(BoxBody::new(bytes))))
}

/// One thing at an address of its own: what changes it may be bound to the tag that was seen, with `If-Match`, or to there
/// being nothing yet, with `If-None-Match: *`.
pub fn single(
    path: &str,
) -> Resource<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    resource(path).wrap(from_fn(hold_conditions))
}

/// Middleware: a document that several write is replaced only by who says which one was seen.
pub async fn need_match(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if request.method() == Method::PUT && !request.headers().contains_key(IF_MATCH) {
        return Ok(request.error_response(Failure::ConditionNeeded));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// Middleware: looks at the thing as a GET shows it, and lets the change follow only if nothing else changed since.
async fn hold_conditions(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let has_conditions = request.headers().contains_key(IF_MATCH) || request.headers().contains_key(IF_NONE_MATCH);
    let changes = matches!(*request.method(), Method::PUT | Method::POST | Method::PATCH | Method::DELETE);
    if !changes || !has_conditions {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let Ok(conditions) = Conditions::of(&request) else {
        let rule = "If-Match and If-None-Match have entity tags in quotes, as ETag has them, or *".to_owned();
        return Ok(request.error_response(Failure::Malformed(rule)));
    };
    // A look needs no token of the session: whoever another site made ask learns nothing of it.
    let index = match cookie::session(request.request()).and_then(|_| index(request.request())) {
        Ok(index) => index,
        Err(failure) => return Ok(request.error_response(failure)),
    };
    let body = match whole(request.extract::<actix_web::web::Payload>().await?, MAX_BODY).await {
        Ok(body) => body,
        Err(failure) => return Ok(request.error_response(failure)),
    };
    let method = request.method().clone();
    for _ in 0..MOST_TRIES {
        let moment = match index.moment().await {
            Ok(moment) => moment,
            Err(refusal) => return Ok(request.error_response(Failure::Refused(refusal))),
        };
        request.head_mut().method = Method::GET;
        request.set_payload(Payload::None);
        let shown = next.call(request).await?.map_into_boxed_body();
        if is_refused(&shown) {
            return Ok(shown);
        }
        let is_there = shown.status() == StatusCode::OK;
        let (there, bytes, _) = with_bytes(shown).await?;
        request = ServiceRequest::from_parts(there, Payload::None);
        request.head_mut().method = method.clone();
        if !conditions.hold(is_there.then(|| tag_of(&bytes)).as_ref()) {
            return Ok(request.error_response(Failure::ConditionFailed));
        }
        request.set_payload(Payload::from(body.clone()));
        let answer = moment.then(next.call(request)).await?.map_into_boxed_body();
        if !is_overtaken(&answer) {
            return Ok(answer);
        }
        let (there, _) = answer.into_parts();
        request = ServiceRequest::from_parts(there, Payload::None);
    }
    Ok(request.error_response(Failure::Refused(Refusal::Overtaken)))
}

/// What a change is bound to.
struct Conditions {
    seen: Option<IfMatch>,
    unseen: Option<IfNoneMatch>,
}

impl Conditions {
    fn of(request: &ServiceRequest) -> Result<Self, actix_web::error::ParseError> {
        let has = |name| request.headers().contains_key(name);
        let seen = has(IF_MATCH).then(|| IfMatch::parse(request)).transpose()?;
        // What cannot be read is left out of the list.
        if matches!(&seen, Some(IfMatch::Items(tags)) if tags.is_empty()) {
            return Err(actix_web::error::ParseError::Header);
        }
        Ok(Self { seen, unseen: has(IF_NONE_MATCH).then(|| IfNoneMatch::parse(request)).transpose()? })
    }

    /// Whether they hold of what has this tag; `None` is nothing, or what no GET shows.
    fn hold(&self, tag: Option<&EntityTag>) -> bool {
        let is_seen = self.seen.as_ref().is_none_or(|seen| match (seen, tag) {
            (_, None) => false,
            (IfMatch::Any, Some(_)) => true,
            (IfMatch::Items(tags), Some(tag)) => tags.iter().any(|seen| seen.strong_eq(tag)),
        });
        is_seen && self.unseen.as_ref().is_none_or(|unseen| tag.is_none_or(|tag| !matches_none(unseen, tag)))
    }
}

fn matches_none(seen: &IfNoneMatch, tag: &EntityTag) -> bool {
    match seen {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => tags.iter().any(|seen| seen.weak_eq(tag)),
    }
}

/// Whether the caller may not look at all. What is not there, and what no GET shows, is no refusal.
fn is_refused(answer: &ServiceResponse<BoxBody>) -> bool {
    let is_nothing = matches!(answer.status(), StatusCode::OK | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
    !is_nothing
}

fn is_overtaken(answer: &ServiceResponse<BoxBody>) -> bool {
    let failure = answer.response().error().and_then(|error| error.as_error::<Failure>());
    matches!(failure, Some(Failure::Refused(Refusal::Overtaken)))
}

fn tag_of(bytes: &Bytes) -> EntityTag {
    EntityTag::new_strong(hash([&bytes[..]]).chars().take(22).collect())
}
