//! `/api/v1/openapi.json`: the document of the REST API, made from the bodies and handlers themselves.

use super::conventions::follow_conventions;
use super::problem::Problem;
use crate::model::account::AccountSort;
use crate::model::repository::RepositorySort;
use actix_web::HttpResponse;
use serde_json::Value;
use std::sync::LazyLock;
use utoipa::OpenApi;

/// What the handlers say of themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Berth",
        description = "Accounts, organisations, grants and repositories of a Berth instance. \
            Where there is a GET, HEAD is answered with the same status and headers, and without the body."
    ),
    components(schemas(Problem, RepositorySort, AccountSort)),
    paths(
        super::teams::list,
        super::teams::create,
        super::teams::show,
        super::teams::change,
        super::teams::delete,
        super::teams::list_members,
        super::teams::put_member,
        super::teams::delete_member,
        super::teams::list_grants,
        super::robots::list,
        super::robots::create,
        super::robots::show,
        super::robots::change,
        super::robots::rotate,
        super::robots::delete,
        super::access_tokens::list,
        super::access_tokens::create,
        super::access_tokens::show,
        super::access_tokens::rotate,
        super::access_tokens::delete,
        super::user::show,
        super::user::change_password,
        super::admin_users::list,
        super::admin_users::create,
        super::admin_users::show,
        super::admin_users::change,
        super::organisations::list,
        super::organisations::create,
        super::organisations::show,
        super::organisations::change,
        super::organisations::delete,
        super::members::list,
        super::members::put,
        super::members::delete,
        super::namespaces::list,
        super::namespaces::show,
        super::namespaces::change,
        super::default_grants::show,
        super::default_grants::put,
        super::grants::list_of_namespace,
        super::grants::put_on_namespace,
        super::grants::delete_on_namespace,
        super::grants::list_of_repository,
        super::grants::put_on_repository,
        super::grants::delete_on_repository,
        super::repositories::list,
        super::repositories::put,
        super::repositories::show,
        super::repositories::change,
        super::explain::show,
        super::content::tags,
        super::content::manifest,
        super::moves::delete,
        super::moves::restore,
        super::moves::purge,
        super::moves::rename,
        super::moves::list_deleted,
        super::invitations::list,
        super::invitations::create,
        super::invitations::show,
        super::invitations::revoke,
        super::invitations::offer,
        super::invitations::accept,
        super::invitations::decline,
        super::session::create,
        super::session::show,
        super::session::delete,
        super::session::list,
        super::session::delete_one,
        super::session::delete_all,
        super::sign_up::create,
        super::organisation_moves::rename,
        super::collaborators::list,
        super::networks::show,
        super::networks::put,
        super::access_tokens::change,
        super::decisions::show,
        super::admin_users::reset_password,
    )
)]
struct Described;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = serde_json::to_value(Described::openapi()).unwrap_or_default();
    follow_conventions(&mut document);
    document
});

/// The document.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// `GET /openapi.json`, for anybody.
pub async fn show() -> HttpResponse {
    HttpResponse::Ok().json(document())
}

/// A member of an object; null, if there is none.
pub fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}
