//! The doors: every route of the registry on this page, and the handlers that parse, call one verb, and render.
//!
//! Must not decide anything: who may is `domain/access.rs`, what happens is the other verbs, how a refusal looks is
//! `error.rs`.
//!
//! A new route is a kind of place in `places.rs` and a line here.

mod auth;
mod base;
mod blobs;
mod catalog;
mod error;
mod front;
mod headers;
mod health;
mod manifests;
mod moves;
mod pages;
mod places;
mod query;
mod referrers;
mod tags;
mod uploads;

pub use front::{Challenge, Front};

use crate::domain::Registry;
use crate::domain::refusal::Refusal;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse, fn_service};
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Responder};
use error::{Json, NotHere};
use futures_util::future::LocalBoxFuture;
use places::{Kind, Place};
use server::answer_head;

/// Everything under `/v2/`.
pub fn routes(config: &mut ServiceConfig, registry: &Registry, front: &Front) {
    let scope = web::scope("/v2")
        .app_data(Data::new(registry.clone()))
        .app_data(Data::new(front.clone()))
        .default_service(fn_service(answer));
    config.service(scope);
}

/// Every route: what each method does at each place.
#[expect(clippy::match_same_arms, reason = "each place says for itself which methods it offers")]
fn open(kind: Kind, request: HttpRequest, body: Payload) -> Answer {
    match (kind, request.method()) {
        (Kind::Base, &Method::GET | &Method::HEAD) => call(base::version, request, body),
        (Kind::Base, _) => refuse(NotHere::Method("GET, HEAD")),

        (Kind::Catalog, &Method::GET | &Method::HEAD) => call(catalog::list, request, body),
        (Kind::Catalog, _) => refuse(NotHere::Method("GET, HEAD")),

        (Kind::Tags, &Method::GET | &Method::HEAD) => call(tags::list, request, body),
        (Kind::Tags, _) => refuse(NotHere::Method("GET, HEAD")),

        (Kind::Referrers, &Method::GET | &Method::HEAD) => call(referrers::list, request, body),
        (Kind::Referrers, _) => refuse(NotHere::Method("GET, HEAD")),

        (Kind::Uploads, &Method::POST) => call(uploads::begin, request, body),
        (Kind::Uploads, _) => refuse(NotHere::Method("POST")),

        (Kind::Upload, &Method::GET | &Method::HEAD) => call(uploads::status, request, body),
        (Kind::Upload, &Method::PATCH) => call(uploads::append, request, body),
        (Kind::Upload, &Method::PUT) => call(uploads::finish, request, body),
        (Kind::Upload, &Method::DELETE) => call(uploads::cancel, request, body),
        (Kind::Upload, _) => refuse(NotHere::Method("GET, HEAD, PATCH, PUT, DELETE")),

        (Kind::Blob, &Method::GET) => call(blobs::read, request, body),
        (Kind::Blob, &Method::HEAD) => call(blobs::stat, request, body),
        (Kind::Blob, &Method::DELETE) => call(blobs::delete, request, body),
        (Kind::Blob, _) => refuse(NotHere::Method("GET, HEAD, DELETE")),

        (Kind::Manifest, &Method::GET | &Method::HEAD) => call(manifests::read, request, body),
        (Kind::Manifest, &Method::PUT) => call(manifests::put, request, body),
        (Kind::Manifest, &Method::DELETE) => call(manifests::delete, request, body),
        (Kind::Manifest, _) => refuse(NotHere::Method("GET, HEAD, PUT, DELETE")),

        (Kind::Nowhere, _) => refuse(NotHere::Path(request.path().to_owned())),
    }
}

/// What the index reaches, with tokens of its own; never reachable from outside.
pub fn internal_routes(config: &mut ServiceConfig, registry: &Registry) {
    config.service(
        web::resource("/internal/v1/move")
            .app_data(Data::new(registry.clone()))
            .route(web::post().to(moves::carry_out)),
    );
}

/// Whether the process lives and can serve; for health checks of the split program.
pub fn health_routes(config: &mut ServiceConfig, registry: &Registry) {
    config
        .app_data(Data::new(registry.clone()))
        .service(web::resource("/livez").route(web::get().to(health::live)).wrap(from_fn(answer_head)))
        .service(web::resource("/readyz").route(web::get().to(health::ready)).wrap(from_fn(answer_head)));
}

/// An answer on its way; boxed, so that a small read does not carry the size of an upload.
type Answer = LocalBoxFuture<'static, HttpResponse>;

async fn answer(request: ServiceRequest) -> Result<ServiceResponse, actix_web::Error> {
    let (request, body) = request.into_parts();
    let mut response = if front::is_served(&request) {
        open(Place::of(&request).kind, request.clone(), body).await
    } else {
        HttpResponse::from_error(Json(Refusal::Address))
    };
    front::add(&request, &mut response);
    Ok(ServiceResponse::new(request, response))
}

/// Makes the handler's parameters of the request, rights among them, and calls it.
fn call<H, A>(handler: H, request: HttpRequest, mut body: Payload) -> Answer
where
    H: Handler<A>,
    A: FromRequest + 'static,
    H::Output: Responder + 'static,
{
    Box::pin(async move {
        match A::from_request(&request, &mut body).await {
            Ok(parameters) => handler.call(parameters).await.respond_to(&request).map_into_boxed_body(),
            Err(error) => HttpResponse::from_error(error),
        }
    })
}

fn refuse(reason: NotHere) -> Answer {
    Box::pin(std::future::ready(HttpResponse::from_error(reason)))
}
