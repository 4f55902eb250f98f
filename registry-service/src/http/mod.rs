//! The doors: every route of the registry on this page, and the handlers that parse, call one verb, and render.
//!
//! Must not decide anything: who may is `domain/access.rs`, what happens is the other verbs, how a refusal looks is
//! `error.rs`.
//!
//! Names contain slashes and words such as `manifests`, so a path is matched from the right: `{name:.+}` is greedy.

mod auth;
mod base;
mod blobs;
mod catalog;
mod challenge;
mod error;
mod headers;
mod health;
mod manifests;
mod pages;
mod query;
mod tags;
mod uploads;

pub use challenge::Challenge;

use crate::domain::Registry;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, Resource, Route};
use error::NotHere;

/// Everything under `/v2/`.
pub fn routes(config: &mut ServiceConfig, registry: &Registry, challenge: &Challenge) {
    let scope = web::scope("/v2")
        .app_data(Data::new(registry.clone()))
        .app_data(Data::new(challenge.clone()))
        .wrap(from_fn(challenge::add))
        .wrap(always())
        .service(resource(["", "/"], [get(base::version), head(base::version)], "GET, HEAD"))
        .service(resource(["/_catalog"], [get(catalog::list)], "GET"))
        .service(resource(["/{name:.+}/tags/list"], [get(tags::list)], "GET"))
        .service(resource(
            ["/{name:.+}/blobs/uploads", "/{name:.+}/blobs/uploads/"],
            [web::post().to(uploads::begin)],
            "POST",
        ))
        .service(resource(
            ["/{name:.+}/blobs/uploads/{upload}"],
            [
                get(uploads::status),
                head(uploads::status),
                web::patch().to(uploads::append),
                web::put().to(uploads::finish),
                web::delete().to(uploads::cancel),
            ],
            "GET, HEAD, PATCH, PUT, DELETE",
        ))
        .service(resource(
            ["/{name:.+}/blobs/{digest}"],
            [get(blobs::read), head(blobs::stat), web::delete().to(blobs::delete)],
            "GET, HEAD, DELETE",
        ))
        .service(resource(
            ["/{name:.+}/manifests/{reference}"],
            [
                get(manifests::read),
                head(manifests::read),
                web::put().to(manifests::put),
                web::delete().to(manifests::delete),
            ],
            "GET, HEAD, PUT, DELETE",
        ))
        .default_service(web::to(no_such_path));
    config.service(scope);
}

/// Whether the process lives and can serve; for health checks of the split program.
pub fn health_routes(config: &mut ServiceConfig, registry: &Registry) {
    config
        .app_data(Data::new(registry.clone()))
        .route("/livez", web::get().to(health::live))
        .route("/readyz", web::get().to(health::ready));
}

/// On every answer, refusals too. What is served here is never a page, whatever a browser makes of its bytes.
fn always() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("Docker-Distribution-Api-Version", "registry/2.0"))
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("Content-Security-Policy", "sandbox; default-src 'none'"))
}

fn resource<const P: usize, const R: usize>(paths: [&str; P], routes: [Route; R], allow: &'static str) -> Resource {
    let wrong_method = move || std::future::ready(Err::<String, _>(NotHere::Method(allow)));
    routes.into_iter().fold(web::resource(paths.to_vec()), Resource::route).default_service(web::to(wrong_method))
}

fn get<F, A>(handler: F) -> Route
where
    F: actix_web::Handler<A>,
    A: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    web::get().to(handler)
}

fn head<F, A>(handler: F) -> Route
where
    F: actix_web::Handler<A>,
    A: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    web::head().to(handler)
}

async fn no_such_path(request: HttpRequest) -> Result<String, NotHere> {
    Err(NotHere::Path(request.path().to_owned()))
}
