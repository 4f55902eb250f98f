//! The doors: every route of the index on one page. A handler parses, calls one verb, renders.
//!
//! Must not decide anything, nor know SQL.

mod access_tokens;
mod address;
mod admin_users;
mod api_page;
mod auth;
mod bodies;
mod clock;
mod codes;
mod collaborators;
mod conditional;
mod content;
mod contract;
mod conventions;
mod cookie;
mod decisions;
mod default_grants;
mod error;
mod error_page;
mod explain;
mod fields;
mod grants;
mod health;
mod idempotency;
mod internal;
mod invitations;
mod json;
mod keys;
mod members;
mod moves;
mod namespaces;
mod networks;
mod openapi;
mod organisation_moves;
mod organisations;
mod pages;
mod problem;
mod query;
mod repositories;
mod robots;
mod search;
mod session;
mod sign_up;
mod teams;
mod token;
mod user;

pub use auth::InternalSecret;

use crate::domain::{Index, Mover};
use crate::model::Account;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig, delete, get, patch, post, put, resource};
use address::TrustedProxies;
use auth::AdminOfCommand;
use conditional::{need_match, single, tag_answers};
use error::no_such_route;
use fields::pick_fields;
use idempotency::carry_out_once;
use problem::{render_problem, render_token_error};
use query::hold_query;
use server::answer_head;
use shared::Networks;

/// What anybody may reach; `proxies` are those that are trusted to say for whom they ask.
pub fn public_routes(cfg: &mut ServiceConfig, mover: &Mover, proxies: &Networks) {
    cfg.app_data(Data::new(mover.index().clone()))
        .app_data(Data::new(TrustedProxies(proxies.clone())))
        .app_data(Data::new(mover.clone()))
        .service(
            resource("/token")
                .wrap(from_fn(render_token_error))
                .route(get().to(token::get))
                .route(post().to(token::post)),
        )
        .service(
            resource("/.well-known/jwks.json")
                .route(get().to(keys::show))
                .wrap(from_fn(answer_head))
                .wrap(from_fn(render_problem)),
        )
        .service(resource("/docs/api").route(get().to(api_page::show)).wrap(from_fn(answer_head)))
        .service(
            resource("/docs/errors/{code}")
                .route(get().to(error_page::show))
                .wrap(from_fn(answer_head))
                .wrap(from_fn(render_problem)),
        )
        .service(
            web::scope("/v1")
                .configure(json::limits)
                .service(resource("/_ping").route(get().to(search::ping)))
                .service(resource("/search").route(get().to(search::search)))
                .default_service(web::to(no_such_route))
                .wrap(from_fn(answer_head))
                .wrap(from_fn(render_token_error)),
        )
        .service(
            web::scope("/api")
                .configure(json::limits)
                .service(
                    web::scope("/v1")
                        .service(resource("/openapi.json").route(get().to(openapi::show)))
                        .service(resource("/openapi.yaml").route(get().to(openapi::show_yaml)))
                        .configure(people)
                        .configure(organisations)
                        .configure(namespaces)
                        .configure(repositories)
                        .default_service(web::to(no_such_route))
                        .wrap(from_fn(hold_query))
                        .wrap(from_fn(carry_out_once))
                        .wrap(from_fn(tag_answers))
                        .wrap(from_fn(pick_fields))
                        .wrap(from_fn(answer_head)),
                )
                .default_service(web::to(no_such_route))
                .wrap(from_fn(render_problem)),
        );
}

/// The same for a command on the machine itself: every request is `admin`'s, whoever sends it.
pub fn command_routes(cfg: &mut ServiceConfig, mover: &Mover, admin: &Account) {
    public_routes(cfg, mover, &Networks::default());
    cfg.app_data(Data::new(AdminOfCommand(admin.clone())));
}

/// What registries reach, with the internal secret.
pub fn internal_routes(cfg: &mut ServiceConfig, index: &Index, secret: &InternalSecret) {
    cfg.app_data(Data::new(index.clone())).app_data(Data::new(secret.clone())).service(
        web::scope("/internal/v1")
            .configure(internal::limits)
            .service(resource("/introspect").route(post().to(internal::introspect)))
            .service(resource("/allocate").route(post().to(internal::allocate)))
            .service(resource("/judge").route(post().to(internal::judge)))
            .service(resource("/turn").route(post().to(internal::turn)))
            .service(resource("/commit").route(post().to(internal::commit)))
            .service(resource("/catalog").route(post().to(internal::catalog)))
            .service(resource("/revocations").route(get().to(internal::revocations)))
            .default_service(web::to(no_such_route))
            .wrap(from_fn(render_problem)),
    );
}

/// What a supervisor or load balancer asks: is the process alive, can it do its work?
pub fn health_routes(cfg: &mut ServiceConfig, index: &Index) {
    cfg.app_data(Data::new(index.clone()))
        .service(resource("/livez").route(get().to(health::live)).wrap(from_fn(answer_head)))
        .service(
            resource("/readyz").route(get().to(health::ready)).wrap(from_fn(answer_head)).wrap(from_fn(render_problem)),
        );
}

fn people(cfg: &mut ServiceConfig) {
    cfg.service(resource("/users").route(post().to(sign_up::create)))
        .service(resource("/user").route(get().to(user::show)))
        .service(single("/user/password").route(put().to(user::change_password)))
        .service(
            single("/session")
                .route(get().to(session::show))
                .route(post().to(session::create))
                .route(delete().to(session::delete)),
        )
        .service(single("/user/sessions").route(get().to(session::list)).route(delete().to(session::delete_all)))
        .service(single("/user/sessions/{id}").route(delete().to(session::delete_one)))
        .service(resource("/user/tokens").route(get().to(access_tokens::list)).route(post().to(access_tokens::create)))
        .service(
            single("/user/tokens/{id}")
                .route(get().to(access_tokens::show))
                .route(patch().to(access_tokens::change))
                .route(delete().to(access_tokens::delete)),
        )
        .service(resource("/user/tokens/{id}/rotate").route(post().to(access_tokens::rotate)))
        .service(resource("/admin/decisions/{id}").route(get().to(decisions::show)))
        .service(resource("/admin/users").route(get().to(admin_users::list)).route(post().to(admin_users::create)))
        .service(
            single("/admin/users/{user}").route(get().to(admin_users::show)).route(patch().to(admin_users::change)),
        )
        .service(resource("/admin/users/{user}/reset-password").route(post().to(admin_users::reset_password)));
}

fn organisations(cfg: &mut ServiceConfig) {
    cfg.service(resource("/orgs").route(get().to(organisations::list)).route(post().to(organisations::create)))
        .service(
            single("/orgs/{org}")
                .route(get().to(organisations::show))
                .route(patch().to(organisations::change))
                .route(delete().to(organisations::delete)),
        )
        .service(resource("/orgs/{org}/rename").route(post().to(organisation_moves::rename)))
        .service(resource("/orgs/{org}/members").route(get().to(members::list)))
        .service(single("/orgs/{org}/members/{user}").route(put().to(members::put)).route(delete().to(members::delete)))
        .service(resource("/orgs/{org}/teams").route(get().to(teams::list)).route(post().to(teams::create)))
        .service(
            single("/orgs/{org}/teams/{team}")
                .route(get().to(teams::show))
                .route(patch().to(teams::change))
                .route(delete().to(teams::delete)),
        )
        .service(resource("/orgs/{org}/teams/{team}/members").route(get().to(teams::list_members)))
        .service(
            single("/orgs/{org}/teams/{team}/members/{user}")
                .route(put().to(teams::put_member))
                .route(delete().to(teams::delete_member)),
        )
        .service(resource("/orgs/{org}/teams/{team}/grants").route(get().to(teams::list_grants)))
        .service(
            resource("/orgs/{org}/invitations")
                .route(get().to(invitations::list))
                .route(post().to(invitations::create)),
        )
        .service(
            single("/orgs/{org}/invitations/{id}")
                .route(get().to(invitations::show))
                .route(delete().to(invitations::revoke)),
        )
        .service(resource("/invitations/{secret}").route(get().to(invitations::offer)))
        .service(resource("/invitations/{secret}/accept").route(post().to(invitations::accept)))
        .service(resource("/invitations/{secret}/decline").route(post().to(invitations::decline)))
        .service(resource("/orgs/{org}/robots").route(get().to(robots::list)).route(post().to(robots::create)))
        .service(
            single("/orgs/{org}/robots/{robot}")
                .route(get().to(robots::show))
                .route(patch().to(robots::change))
                .route(delete().to(robots::delete)),
        )
        .service(resource("/orgs/{org}/robots/{robot}/rotate").route(post().to(robots::rotate)));
}

fn namespaces(cfg: &mut ServiceConfig) {
    cfg.service(resource("/namespaces").route(get().to(namespaces::list)))
        .service(
            single("/namespaces/{namespace}").route(get().to(namespaces::show)).route(patch().to(namespaces::change)),
        )
        .service(resource("/namespaces/{namespace}/deleted").route(get().to(moves::list_deleted)))
        .service(
            single("/namespaces/{namespace}/default-grants")
                .wrap(from_fn(need_match))
                .route(get().to(default_grants::show))
                .route(put().to(default_grants::put)),
        )
        .service(resource("/namespaces/{namespace}/collaborators").route(get().to(collaborators::list)))
        .service(
            single("/namespaces/{namespace}/networks")
                .wrap(from_fn(need_match))
                .route(get().to(networks::show))
                .route(put().to(networks::put)),
        )
        .service(resource("/namespaces/{on}/grants").route(get().to(grants::list_of_namespace)))
        .service(
            single("/namespaces/{on}/grants/{subject:.+}")
                .route(put().to(grants::put_on_namespace))
                .route(delete().to(grants::delete_on_namespace)),
        );
}

/// A repository's name has slashes, so what belongs to it follows `/-/`, which no name can contain.
fn repositories(cfg: &mut ServiceConfig) {
    cfg.service(resource("/repositories").route(get().to(repositories::list)))
        .service(resource("/repositories/{on:.+}/-/grants").route(get().to(grants::list_of_repository)))
        .service(
            single("/repositories/{on:.+}/-/grants/{subject:.+}")
                .route(put().to(grants::put_on_repository))
                .route(delete().to(grants::delete_on_repository)),
        )
        .service(resource("/repositories/{name:.+}/-/explain").route(get().to(explain::show)))
        .service(resource("/repositories/{name:.+}/-/tags").route(get().to(content::tags)))
        .service(resource("/repositories/{name:.+}/-/manifests/{digest}").route(get().to(content::manifest)))
        .service(resource("/repositories/{name:.+}/-/restore").route(post().to(moves::restore)))
        .service(resource("/repositories/{name:.+}/-/purge").route(post().to(moves::purge)))
        .service(resource("/repositories/{name:.+}/-/rename").route(post().to(moves::rename)))
        .service(resource("/repositories/{name:.+}/-/{rest:.*}").default_service(web::to(no_such_route)))
        .service(
            single("/repositories/{name:.+}")
                .route(put().to(repositories::put))
                .route(get().to(repositories::show))
                .route(patch().to(repositories::change))
                .route(delete().to(moves::delete)),
        );
}
